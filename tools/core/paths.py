"""Paths in the checkout."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DEFAULT_STATE_DIR = ROOT / ".stack"
TERRAFORM_SOURCE = ROOT / "terraform"
LAMBDA_SOURCE = ROOT / "lambda_src"
COMPOSE_FILE = ROOT / "docker-compose.yml"
LAMBDA_ZIP = ROOT / "build" / "lambda.zip"
ARCHIVER_ZIP = ROOT / "build" / "archiver.zip"
ANALYTICS = ROOT / "tools" / "analytics"
DASHBOARD_TEMPLATE = ROOT / "dashboards" / "cloudwatch.json.tftpl"
# Downloads that every stack shares; `make down` keeps them.
CACHE_DIR = ROOT / ".cache"
REPORT_PAGE = ROOT / "build" / "report.html"
VENVS = ROOT / ".venv"
REQUIREMENTS = ROOT / "requirements"
EMULATOR_PYTHON = VENVS / "emulator" / "bin" / "python"


# The files under ``LAMBDA_SOURCE`` that the Terraform config reads.
CONTRACT_DATA = ("contract/event.schema.json", "processor/alerts.schema.json", "storage/columns.json")


def read_by_config(root: Path = ROOT) -> list[Path]:
    """Return the files outside ``terraform/`` that the config reads, in the checkout at ``root``."""
    queries = sorted((root / ANALYTICS.relative_to(ROOT)).rglob("*.sql"))
    contract = [root / LAMBDA_SOURCE.relative_to(ROOT) / name for name in CONTRACT_DATA]
    return [root / DASHBOARD_TEMPLATE.relative_to(ROOT), *contract, *queries]
