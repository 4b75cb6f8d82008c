"""Motion clips: rotations, kinematics, editing, rigs. numpy only."""
