"""Work with a running pipeline, local or on AWS: ``python -m tools.ops <command>``.

``inspect`` shows events and logs, ``recover`` sends messages again, ``verify`` checks that none is lost.
"""
