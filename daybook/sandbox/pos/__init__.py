"""Points of sale over HTTP: Square's and Loyverse's APIs in front of generated shops.

What comes in are calls of `daybook.pos` or anyone else; what leaves is JSON in the form of the
vendor, and, on a control call, the daily totals these shops must come to, worked out here with
Decimal from the sales themselves.
"""
