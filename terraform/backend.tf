# The state of a deployed environment. tools/deploy/state_bucket.py passes bucket, key and region to terraform init.
# The local stack omits this file and keeps its state in its working copy.
terraform {
  backend "s3" {
    encrypt      = true
    use_lockfile = true
  }
}
