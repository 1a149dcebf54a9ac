provider "aws" {
  region = var.region

  # Credentials of another account end here, before anything is read or changed.
  allowed_account_ids = var.allowed_account_ids

  default_tags {
    tags = {
      Project     = var.name_prefix
      Environment = var.environment
      ManagedBy   = "terraform"
    }
  }
}
