# Where the state of a deployed environment is: bucket, key and region come from tools/deploy/state_bucket.py when
# Terraform is initialised. The local stack leaves this file out and keeps its state beside it.
terraform {
  backend "s3" {
    encrypt      = true
    use_lockfile = true
  }
}
