"""VRM's expressions as a table: each is a mixture of the 52 morph targets with ARKit's names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

# Preset of VRM 1.0 -> weights of morph targets. A name without Left or Right means both sides if the target has sides.
PRESETS: dict[str, dict[str, float]] = {
    "aa": {"jawOpen": 0.6, "mouthLowerDown": 0.2, "mouthUpperUp": 0.15},
    "ih": {"jawOpen": 0.15, "mouthStretch": 0.4, "mouthSmile": 0.2},
    "ou": {"jawOpen": 0.12, "mouthPucker": 0.8, "mouthFunnel": 0.3},
    "ee": {"jawOpen": 0.2, "mouthSmile": 0.5, "mouthStretch": 0.3, "mouthUpperUp": 0.2},
    "oh": {"jawOpen": 0.4, "mouthFunnel": 0.8},
    "blink": {"eyeBlink": 1.0},
    "blinkLeft": {"eyeBlinkLeft": 1.0},
    "blinkRight": {"eyeBlinkRight": 1.0},
    "happy": {"mouthSmile": 0.9, "cheekSquint": 0.6, "eyeSquint": 0.3, "mouthDimple": 0.3},
    "angry": {"browDown": 1.0, "eyeSquint": 0.4, "noseSneer": 0.5, "mouthFrown": 0.4, "mouthPress": 0.4},
    "sad": {"browInnerUp": 1.0, "mouthFrown": 0.8, "mouthShrugLower": 0.3, "eyeLookDown": 0.2},
    "relaxed": {"eyeBlink": 0.35, "mouthSmile": 0.35, "browInnerUp": 0.15},
    "surprised": {"browInnerUp": 0.8, "browOuterUp": 0.8, "eyeWide": 1.0, "jawOpen": 0.35},
    "lookUp": {"eyeLookUp": 1.0},
    "lookDown": {"eyeLookDown": 1.0},
    "lookLeft": {"eyeLookOutLeft": 1.0, "eyeLookInRight": 1.0},
    "lookRight": {"eyeLookInLeft": 1.0, "eyeLookOutRight": 1.0},
}
SIDES = ("", "Left", "Right")


def describe_expressions(names: Sequence[str], node: int) -> dict[str, Any]:
    """Write VRM's `expressions`: the presets that a mesh has morph targets for, and each target as an expression.

    Args:
        names: Names of the morph targets.
        node: Node of the mesh.
    """
    index = {name: k for k, name in enumerate(names)}

    def bind(weights: dict[str, float]) -> dict[str, Any]:
        binds = [
            {"node": node, "index": index[name + side], "weight": weight}
            for name, weight in weights.items()
            for side in SIDES
            if name + side in index
        ]
        return {"morphTargetBinds": binds} if binds else {}

    presets = {preset: found for preset, weights in PRESETS.items() if (found := bind(weights))}
    return {"preset": presets, "custom": {name: bind({name: 1.0}) for name in names if name not in PRESETS}}
