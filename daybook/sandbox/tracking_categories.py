"""Tracking categories and options: two active, four in all, archived ones unusable."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from daybook.sandbox import batch, listing, records, validation, wire
from daybook.sandbox.query import Schema
from daybook.sandbox.routing import Route
from daybook.sandbox.validation import Invalid, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    from daybook.sandbox.books import Books
    from daybook.sandbox.records import TrackingCategory, TrackingOption
    from daybook.sandbox.routing import Call, Reply
    from daybook.sandbox.wire import Json

MAX_NAME = 100
MAX_ACTIVE = 2
MAX_TOTAL = 4
STATUS = wire.choice("TrackingStatus", "ACTIVE", "ARCHIVED", "DELETED")
OPTION_FIELDS = wire.Fields(TrackingOptionID=wire.text, Name=wire.text, Status=STATUS)
FIELDS = wire.Fields(
    TrackingCategoryID=wire.text, Name=wire.text, Status=STATUS, Options=wire.many(OPTION_FIELDS)
)
SHAPE = batch.Shape("TrackingCategories", "TrackingCategory", "TrackingCategoryID")
OPTION_SHAPE = batch.Shape("Options", "TrackingOption", "TrackingOptionID")

# Routes


def list_categories(call: Call) -> Reply:
    """GET /TrackingCategories; `includeArchived=true` shows archived ones too."""
    with_archived = call.query.get("includearchived", "").lower() == "true"
    found = listing.select(
        call,
        call.books.tracking_categories,
        LISTING,
        keep=lambda row: row.status == "ACTIVE" or (with_archived and row.status == "ARCHIVED"),
    )
    elements = [category_json(row, with_archived=with_archived) for row in found.rows]
    return call.reply(TrackingCategories=elements)


def get_category(call: Call) -> Reply:
    """GET /TrackingCategories/{TrackingCategoryID}."""
    return call.reply(TrackingCategories=[category_json(_known(call), with_archived=True)])


def put_category(call: Call) -> Reply:
    """PUT /TrackingCategories, options included."""
    return batch.run(
        call,
        SHAPE,
        FIELDS,
        lambda given: category_json(
            create_category(call.books, given, call.new_id), with_archived=True
        ),
    )


def post_category(call: Call) -> Reply:
    """POST /TrackingCategories/{TrackingCategoryID}: rename or archive."""
    category = _known(call)

    def apply(given: Json) -> Json:
        changed = msgspec.structs.replace(
            category,
            name=given.get("Name", category.name),
            status=given.get("Status", category.status),
        )
        validation.refuse_if(_problems(call.books, changed))
        call.books.put_tracking_category(changed)
        return category_json(changed, with_archived=True)

    return batch.run(call, SHAPE, FIELDS, apply)


def delete_category(call: Call) -> Reply:
    """DELETE /TrackingCategories/{TrackingCategoryID}."""
    deleted = msgspec.structs.replace(_known(call), status="DELETED")
    call.books.put_tracking_category(deleted)
    return call.reply(TrackingCategories=[category_json(deleted, with_archived=True)])


def put_options(call: Call) -> Reply:
    """PUT /TrackingCategories/{TrackingCategoryID}/Options."""
    category = _known(call)
    return batch.run(
        call,
        OPTION_SHAPE,
        OPTION_FIELDS,
        lambda given: option_json(
            add_option(call.books, category, given.get("Name", ""), call.new_id), category
        ),
    )


def post_option(call: Call) -> Reply:
    """POST /TrackingCategories/{TrackingCategoryID}/Options/{TrackingOptionID}."""
    category = _known(call)
    option = _known_option(call, category)

    def apply(given: Json) -> Json:
        name = given.get("Name", option.name)
        _check_option_name(call.books, category, name, option)
        option.name = name
        option.status = given.get("Status", option.status)
        call.books.put_tracking_category(category)
        return option_json(option, category)

    return batch.run(call, OPTION_SHAPE, OPTION_FIELDS, apply)


def delete_option(call: Call) -> Reply:
    """DELETE /TrackingCategories/{TrackingCategoryID}/Options/{TrackingOptionID}."""
    category = _known(call)
    option = _known_option(call, category)
    option.status = "DELETED"
    call.books.put_tracking_category(category)
    return call.reply(Options=[option_json(option, category)])


def _known(call: Call) -> TrackingCategory:
    category = call.books.tracking_categories.get(call.ids[0].lower())
    if category is None:
        raise NotFound
    return category


def _known_option(call: Call, category: TrackingCategory) -> TrackingOption:
    option = call.books.option_by_id(category, call.ids[1].lower())
    if option is None:
        raise NotFound
    return option


# Rules


def create_category(books: Books, given: Json, new_id: Callable[[], str]) -> TrackingCategory:
    """Store a category with its options.

    Raises:
        Invalid: a name that is taken or too long, or one category too many.
    """
    options = [
        records.TrackingOption(id=new_id(), name=option.get("Name", ""))
        for option in given.get("Options", [])
    ]
    category = records.TrackingCategory(id=new_id(), name=given.get("Name", ""), options=options)
    validation.refuse_if(_problems(books, category))
    books.put_tracking_category(category)
    return category


def _problems(books: Books, category: TrackingCategory) -> list[str]:
    messages = []
    if not 0 < len(category.name) <= MAX_NAME:
        messages.append(validation.NAME_LENGTH)
    others = [
        row
        for row in books.tracking_categories
        if row.id != category.id and row.status != "DELETED"
    ]
    if any(row.name.lower() == category.name.lower() for row in others):
        messages.append(validation.TRACKING_NAME_TAKEN)
    active = sum(1 for row in others if row.status == "ACTIVE") + (category.status == "ACTIVE")
    if active > MAX_ACTIVE or len(others) + 1 > MAX_TOTAL:
        messages.append(validation.TRACKING_LIMIT)
    return messages


def add_option(
    books: Books, category: TrackingCategory, name: str, new_id: Callable[[], str]
) -> TrackingOption:
    """Store a further option.

    Raises:
        Invalid: a name that is taken or too long.
    """
    _check_option_name(books, category, name, None)
    option = records.TrackingOption(id=new_id(), name=name)
    category.options.append(option)
    books.put_tracking_category(category)
    return option


def _check_option_name(
    books: Books, category: TrackingCategory, name: str, option: TrackingOption | None
) -> None:
    """Refuse an option name that is taken, empty or too long."""
    if not 0 < len(name) <= MAX_NAME:
        raise Invalid(validation.NAME_LENGTH)
    holder = books.option_by_name(category, name)
    if holder is not None and holder is not option and holder.status == "ACTIVE":
        raise Invalid(validation.TRACKING_NAME_TAKEN)


# Wire form


def category_json(category: TrackingCategory, *, with_archived: bool) -> Json:
    """Return a category with its options."""
    return {
        "Name": category.name,
        "Status": category.status,
        "TrackingCategoryID": category.id,
        "Options": [
            option_json(option)
            for option in category.options
            if option.status == "ACTIVE" or (with_archived and option.status == "ARCHIVED")
        ],
    }


def option_json(option: TrackingOption, category: TrackingCategory | None = None) -> Json:
    """Return an option; answers about options name their category too."""
    element: Json = {
        "TrackingOptionID": option.id,
        "Name": option.name,
        "Status": option.status,
        "HasValidationErrors": False,
        "IsDeleted": option.status == "DELETED",
        "IsArchived": option.status == "ARCHIVED",
        "IsActive": option.status == "ACTIVE",
    }
    if category is not None:
        element["TrackingCategoryID"] = category.id
    return element


LISTING: listing.Listing[TrackingCategory] = listing.Listing(
    Schema(
        {
            "trackingcategoryid": lambda row: row.id,
            "name": lambda row: row.name,
            "status": lambda row: row.status,
        },
        frozenset(),
    )
)

_SCOPE = "accounting.settings"
_ONE = "/TrackingCategories/{TrackingCategoryID}"
ROUTES = (
    Route("GET", "/TrackingCategories", _SCOPE, list_categories),
    Route("PUT", "/TrackingCategories", _SCOPE, put_category),
    Route("GET", _ONE, _SCOPE, get_category),
    Route("POST", _ONE, _SCOPE, post_category),
    Route("DELETE", _ONE, _SCOPE, delete_category),
    Route("PUT", f"{_ONE}/Options", _SCOPE, put_options),
    Route("POST", f"{_ONE}/Options/{{TrackingOptionID}}", _SCOPE, post_option),
    Route("DELETE", f"{_ONE}/Options/{{TrackingOptionID}}", _SCOPE, delete_option),
)
