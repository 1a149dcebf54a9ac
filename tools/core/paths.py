"""Paths in the checkout."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DEFAULT_STATE_DIR = ROOT / ".stack"
TERRAFORM_SOURCE = ROOT / "terraform"
LAMBDA_SOURCE = ROOT / "lambda_src"
COMPOSE_FILE = ROOT / "docker-compose.yml"
LAMBDA_ZIP = ROOT / "build" / "lambda.zip"
ARCHIVER_ZIP = ROOT / "build" / "archiver.zip"
# Downloads that every stack shares; `make down` keeps them.
CACHE_DIR = ROOT / ".cache"
REPORT_PAGE = ROOT / "build" / "report.html"
VENVS = ROOT / ".venv"
REQUIREMENTS = ROOT / "requirements"
EMULATOR_PYTHON = VENVS / "emulator" / "bin" / "python"
# The files outside ``terraform/`` that the config reads, beside the SQL in tools/analytics.
_READ_BY_CONFIG = (
    *("dashboards/cloudwatch.json.tftpl", "lambda_src/contract/event.schema.json"),
    *("lambda_src/processor/alerts.schema.json", "lambda_src/storage/columns.json"),
)


def read_by_config(root: Path = ROOT) -> list[Path]:
    """Return the files outside ``terraform/`` that the config reads, in the checkout at ``root``."""
    queries = sorted((root / "tools" / "analytics").rglob("*.sql"))
    return [*(root / name for name in _READ_BY_CONFIG), *queries]
