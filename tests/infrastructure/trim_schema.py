"""Cut the AWS provider's schema down to what `terraform/` uses.

    python -m tests.infrastructure.trim_schema FULL_SCHEMA.json

The full schema lists, for each resource and data source, its arguments (required or optional) and nested
blocks, with the provider's version and where it was read from; both are kept. Run this after `terraform/`
began or ceased to use a type.
"""

import json
import sys
from pathlib import Path

from tests.infrastructure.configuration import blocks

SCHEMA = Path(__file__).parent / "data" / "aws-provider-schema.json"


def main(full: Path) -> None:
    """Write the part of the full schema that is needed to `SCHEMA`. Raises KeyError for an unknown type."""
    schema = json.loads(full.read_text())
    for kind, section in (("resource", "resources"), ("data", "data_sources")):
        schema[section] = {
            name: schema[section][name] for name in sorted({block.type for block in blocks(kind)})
        }
    SCHEMA.write_text(json.dumps(schema, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
