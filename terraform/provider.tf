provider "aws" {
  region = var.region

  # Terraform refuses credentials of another account before it reads or changes anything.
  allowed_account_ids = var.allowed_account_ids

  default_tags {
    tags = merge(var.tags, {
      Project     = var.name_prefix
      Environment = var.environment
      ManagedBy   = "terraform"
    })
  }
}
