terraform {
  # From 1.11 on the lock file that backend.tf asks for is generally available.
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # Before 6.40 plans show differences that are none (warm throughput, blocked encryption types), 6.29.0
      # panics on an index's dynamic block, and on an emulator the tags of buckets cannot be read.
      version = "~> 6.40"
    }
  }
}
