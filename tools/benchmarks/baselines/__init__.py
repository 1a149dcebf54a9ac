"""The baselines of the benchmarks: each folder is a Lambda package.

The two real designs store the body as a string, which is the cheapest way in boto3. They follow the
documentation of their libraries and create their clients once.
"""
