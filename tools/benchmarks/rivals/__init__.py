"""The designs that the pipeline is measured against, each laid out as the Lambda package that it would be.

Both real ones store the body as the string that came, which is the cheapest way that boto3 has: storing the
parsed event as a map would cost several times their CPU at 200 KB. They are written as their libraries'
documentation shows it, with clients made once and no work that ours does and they do not.
"""
