"""Read the tfvars of an environment."""

from pathlib import Path

import pytest

from tests.unit.tools.deploy.factories import environment
from tools.core.errors import UsageError
from tools.deploy.environment import Environment


def test_values_missing_in_the_tfvars_are_the_configs_defaults(tmp_path: Path) -> None:
    read = environment(tmp_path, 'region = "eu-central-1"')
    assert (read.region, read.name_prefix, read.deletion_protection) == ("eu-central-1", "rt-pipeline", True)
    assert read.allowed_account_ids == ()


@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_the_environments_of_the_checkout_can_be_read_and_name_no_account(name: str) -> None:
    read = Environment.read(name)
    assert read.full_name == f"rt-pipeline-{name}"
    assert read.refuse_plain_http


def test_a_file_of_another_environment_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dev.tfvars").write_text('environment = "prod"\n')
    with pytest.raises(UsageError, match="sets environment = 'prod', but ENV is dev"):
        Environment.read("dev", tmp_path / "dev.tfvars")


@pytest.mark.parametrize("name", ["", "Prod", "../x", "p"])
def test_an_invalid_name_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="is not a name of 2 to 12"):
        Environment.read(name)


def test_a_name_that_would_own_the_bucket_of_states_is_refused(tmp_path: Path) -> None:
    # rt-pipeline-state-... begins with the environment's name, and the deployer may delete such a bucket.
    with pytest.raises(UsageError, match="would own the bucket"):
        environment(tmp_path, name="state")


def test_an_environment_without_a_file_is_refused_and_the_others_are_named() -> None:
    with pytest.raises(UsageError, match=r"There is no terraform/env/qa\.tfvars") as refused:
        Environment.read("qa")
    assert "dev" in refused.value.hint


def test_a_file_that_is_not_hcl_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dev.tfvars").write_text("environment = = 1\n")
    with pytest.raises(UsageError, match="cannot be read"):
        Environment.read("dev", tmp_path / "dev.tfvars")


@pytest.mark.parametrize("variable", ["lambda_zip", "checkout"])
def test_tfvars_that_would_deploy_other_files_than_were_tested_are_refused(
    variable: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=f"sets {variable}"):
        environment(tmp_path, f'{variable} = "../other"')


def test_values_are_converted_as_terraform_converts_them(tmp_path: Path) -> None:
    read = environment(
        tmp_path,
        'maximum_concurrency = "20"\ndeletion_protection = "false"\nlarge_order_threshold = 99.5\n'
        'provisioned_pollers = { min = "2", max = "30" }',
    )
    assert (read.maximum_concurrency, read.deletion_protection) == (20, False)
    assert read.large_order_threshold == "99.5"
    assert read.provisioned_pollers == {"min": 2, "max": 30}


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("maximum_concurrency", '"many"'),
        ("deletion_protection", "1"),
        ("allowed_account_ids", '"123456789012"'),
        ("allowed_account_ids", "null"),
        ("region", "[]"),
        ("provisioned_pollers", "{ min = 2 }"),
        ("provisioned_pollers", '{ min = 2, max = "x" }'),
        ("provisioned_pollers", "2"),
    ],
)
def test_a_value_of_another_type_is_refused(tmp_path: Path, variable: str, value: str) -> None:
    with pytest.raises(UsageError, match=f"sets {variable}.* of another type"):
        environment(tmp_path, f"{variable} = {value}")
