"""Motion clips: rotations, kinematics, editing, feet, rigs, retargeting, measures and pictures (numpy, pillow)."""
