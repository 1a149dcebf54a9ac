"""What the pipeline costs on AWS and how far it scales, from public prices and what `make bench` measured."""
