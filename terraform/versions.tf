terraform {
  # 1.9 is the first in which the validation of a variable may look at another variable.
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # 6.8 is the first that lets a queue take messages of 1 MiB.
      version = "~> 6.8"
    }
  }
}
