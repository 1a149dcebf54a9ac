terraform {
  # The S3 lock file that backend.tf uses is generally available since 1.11.
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # Older versions show false differences (warm throughput, blocked encryption types), 6.29.0 panics on an
      # index's dynamic block, and some cannot read bucket tags from an emulator.
      version = "~> 6.40"
    }
  }
}
