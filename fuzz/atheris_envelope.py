"""Coverage-guided fuzzing of the envelope and the Security header: `python -m fuzz.atheris_envelope --count N`.

Needs atheris (`requirements-fuzz.in`). libFuzzer starts from signed and from hostile messages, and mutates their bytes;
it ends with another code than 0, and the input printed, when something was raised that the gateway must not raise.
"""

import argparse
import sys
from pathlib import Path
from tempfile import mkdtemp

import atheris

with atheris.instrument_imports(include=["gateway.wss", "gateway.xml"]):
    from fuzz.envelopes import make_envelopes

LONGEST = 16 * 1024


def main() -> None:
    """Fuzz; libFuzzer ends the process itself."""
    parser = argparse.ArgumentParser(prog="python -m fuzz.atheris_envelope", description=__doc__)
    parser.add_argument("--count", type=int, default=100_000, help="how many inputs (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of libFuzzer (default: %(default)s)")
    parser.add_argument("--corpus", type=Path, help="where inputs that reach something new are kept")
    options = parser.parse_args()
    envelopes = make_envelopes()
    corpus = options.corpus or Path(mkdtemp(prefix="fuzz-"))
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(envelopes.seeds):
        (corpus / f"seed-{number}.xml").write_bytes(seed)
    bounds = [f"-runs={options.count}", f"-seed={options.seed}", f"-max_len={LONGEST}", "-timeout=5", "-verbosity=0"]
    print(f"{options.count} inputs, steered by coverage, for the envelope and the Security header", flush=True)
    atheris.Setup([sys.argv[0], *bounds, str(corpus)], envelopes.check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
