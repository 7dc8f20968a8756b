"""Write octave_pkg/INDEX: the public functions of the Octave package, by topic.

Run as ``make index``. The tests fail when a public function came or went and the index did not.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "octave_pkg"

TOPICS = {
    "": "Verbs on models",
    "model": "Models: walking, ordering, tidying",
    "layers": "Layers: forward and backward",
    "train": "Training: losses, optimisers, schedules",
    "prune": "Pruning: scores, masks, limits",
    "quant": "Quantization: grids and codes",
    "distill": "Distillation: losses and their gradients",
    "coding": "Coding: bits and containers",
    "search": "Search: recipes, curves, allocation",
}


def public_functions() -> list[str]:
    """Full names of the functions meant for users: all but those of ``+internal``."""
    inst = PACKAGE / "inst"
    names = []
    for path in inst.rglob("*.m"):
        *folders, file = path.relative_to(inst).parts
        if "+internal" not in folders:
            names.append(".".join([folder.removeprefix("+") for folder in folders] + [file[:-2]]))
    return sorted(names)


def index_text() -> str:
    """Text of the INDEX file."""
    by_topic: dict[str, list[str]] = {topic: [] for topic in TOPICS}
    for name in public_functions():
        folder = name.split(".")[1] if "." in name else ""
        by_topic.setdefault(folder, []).append(name)
    lines = ["octcompress >> Compression of neural networks"]
    for topic, names in by_topic.items():
        if names:
            lines += [TOPICS.get(topic, topic.capitalize()), *(f" {name}" for name in names)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    (PACKAGE / "INDEX").write_text(index_text(), encoding="utf-8")
