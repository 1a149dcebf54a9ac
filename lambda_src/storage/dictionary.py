"""The dictionaries that small bodies are compressed with: what events have in common.

A payload can be decoded with the dictionary that encoded it and with no other, so a released dictionary
never changes and is never removed. A better one gets the next number. From 2 on, a dictionary is a file in
``dictionaries/``, which any implementation of zstd reads. Its name has its number and the start of its
SHA-256.
"""

import re
from functools import cache
from pathlib import Path

DIRECTORY = Path(__file__).with_name("dictionaries")
# The id in the header of a file and of each frame. Smaller ids are not for private use (RFC 8878, 5).
FIRST_ID = 32_768
_NAME = re.compile(r"d([1-9][0-9]*)-[0-9a-f]{12}\.zdict")


@cache
def numbered() -> dict[int, Path]:
    """Return the file of each dictionary of zstd, by its number."""
    matches = [(match, path) for path in DIRECTORY.iterdir() if (match := _NAME.fullmatch(path.name))]
    return {int(match[1]): path for match, path in sorted(matches, key=lambda pair: int(pair[0][1]))}


# For zlib, which encodes what stands nearer to the end in fewer bits: the most common names come last.
D1 = (
    b'"user_agent":"Mozilla/5.0 ","referrer":"https://www.","ip_address":"","email":"@example.com","phone":"+'
    b'"description":"","category":"","brand":"","colour":"","size":"","weight":"","stock":"discount":0.'
    b'"tax":"shipping":"subtotal":"total":"tags":["","locale":"en_US","device":"mobile","platform":"ios'
    b'"campaign":"","source":"","type":"","value":"","version":"1.0","created_at":"2026-","updated_at":"2026-'
    b'"text":"The ","rating":"stars":5,"url":"/","page":"/product/","search","checkout","cart","title":"'
    b'"billing_address":{"name":"","line1":"","line2":"","street":"","state":"","postcode":"","city":"'
    b'","country":"GB"},"shipping_address":{"name":"","street":"","postcode":"","city":"","country":"US"},'
    b" and the with for is was not this that from of in on to a. The It, "
    b'":true,"":false,"":null,"":[],"":{},"":[{"id":"","":0.00,"":100,"":"","'
    b'CHFJPYCADAUDSEKNOKDKKPLNGBPUSDEUR"items":[{"sku":"","name":"","quantity":1,"unit_price":19.99},'
    b'{"sku":"","quantity":2,"unit_price":9.95}],"amount":0.00,"metadata":{"'
    b'"session_id":"","action":"page_view","action":"add_to_cart","metadata":{"'
    b'"method":"wallet","status":"failed","method":"paypal","status":"refunded",'
    b'"method":"bank_transfer","status":"authorized","method":"card","status":"captured","metadata":{"'
    b'"payment_id":"","order_id":"","amount":99.00,"currency":"USD","order_id":"","currency":"EUR","amount":'
    b'{"event_id":"-4000-8","event_type":"payment","event_type":"activity","event_type":"order",'
    b'"occurred_at":"2027-01-01T00:00:00.000Z","occurred_at":"2026-11-22T14:03:07.250Z","customer_id":"'
)
