"""Statements that every answer needs: written as querysets, compiled once by Django, run many times.

Most of what a small query costs is building and compiling it. What stands here in place of a value is a ``Parameter``;
Django compiles the rest, for each database, when it is first run::

    NEWEST = Select(lambda limit: Item.objects.filter(thread_id=parameter(Item, "thread_id")).order_by("-pk")[:limit])

    items = NEWEST(limit=20).rows(thread_id=7)

Routers, replicas, custom user models, execute wrappers and open transactions go on working, since a statement is run on
the connection that its queryset would have been run on, by Django's cursor.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from django.db import connections, models, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import sql
from django.db.models.expressions import Expression
from django.db.models.query import ModelIterable, NamedValuesListIterable, ValuesListIterable
from django.db.models.signals import post_save, pre_save

# Values that these fields hand to a database as they are; asking them costs more than most else of a small statement.
_PLAIN: dict[type, type] = {
    models.AutoField: int,
    models.BigAutoField: int,
    models.BigIntegerField: int,
    models.BooleanField: bool,
    models.CharField: str,
    models.PositiveIntegerField: int,
    models.TextField: str,
}

Row = TypeVar("Row")
Shape = TypeVar("Shape")
Found = TypeVar("Found", bound="_Compiled")

# A page of threads has one for each length that clients ask for.
MAX_SHAPES = 64


class Parameter(Expression):
    """Stands in a queryset for the value of a field, which is known when the statement is run.

    Attributes:
        name: the keyword under which the value is given.
    """

    def __init__(self, name: str, field: models.Field[Any, Any]) -> None:
        super().__init__(output_field=field)
        self.name = name
        self._field = field
        target = field.target_field if isinstance(field, models.ForeignKey) else field
        self._plain = _PLAIN.get(type(target))

    def prepare(self, value: Any, connection: BaseDatabaseWrapper) -> Any:
        """Return the value as the database takes it."""
        if self._plain is not None and (value is None or type(value) is self._plain):
            return value
        return self._field.get_db_prep_save(value, connection)

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, Any]:
        return "%s", [self]


def parameter(model: type[models.Model], field: str, name: str | None = None) -> Any:
    """Return a parameter that takes what a field takes. It has the field's name, unless another is given."""
    return Parameter(name or field, cast("models.Field[Any, Any]", model._meta.get_field(field)))


@dataclass(frozen=True)
class _Compiled:
    """SQL, and for each placeholder its value or the parameter that stands for it."""

    sql: str
    params: tuple[Any, ...]

    def run(self, connection: BaseDatabaseWrapper, values: dict[str, Any]) -> Any:
        """Execute it on a new cursor, which the caller reads and closes."""
        cursor = connection.cursor()
        try:
            cursor.execute(self.sql, self.fill(connection, values))
        except BaseException:
            cursor.close()
            raise
        return cursor

    def fill(self, connection: BaseDatabaseWrapper, values: dict[str, Any]) -> list[Any]:
        return [
            each.prepare(values[each.name], connection) if type(each) is Parameter else each
            for each in self.params
        ]

    def expect(self, values: dict[str, Any]) -> None:
        """Raise ``TypeError`` unless these are the values that it takes."""
        names = {each.name for each in self.params if isinstance(each, Parameter)}
        if names != values.keys():
            raise TypeError(f"This statement takes {sorted(names)}, not {sorted(values)}.")


class Statement(Generic[Shape]):
    """Makes the shapes of a statement: its SQL may depend on more than its parameters, such as a ``LIMIT``."""

    def __init__(self, make: Callable[..., Shape]) -> None:
        self._make = make
        self._shapes: dict[Hashable, Shape] = {}

    def __call__(self, *args: Hashable, **options: Hashable) -> Shape:
        """Return the statement in one shape.

        Args:
            args, options: what the function that builds it is called with.
        """
        key = (args, tuple(options.items()))
        found = self._shapes.get(key)
        if found is None:
            if len(self._shapes) >= MAX_SHAPES:
                self._shapes.clear()
            found = self._shapes[key] = self._make(*args, **options)
        return found


class _Shape(Generic[Found]):
    """One shape of a statement, compiled when it is first run on a database."""

    def __init__(self) -> None:
        self._compiled: dict[Hashable, Found] = {}

    def compile(self, using: str) -> Found:
        raise NotImplementedError

    def find(self, using: str, values: dict[str, Any]) -> Found:
        """Return it as it is compiled for this database. These values are those that it takes."""
        key = (using, type(connections[using]))
        found = self._compiled.get(key)
        if found is None:
            found = self.compile(using)
            found.expect(values)
            self._compiled[key] = found
        return found


class Select(Statement["Rows[Row]"], Generic[Row]):
    """Rows of a queryset: models, or tuples where it has ``values_list()``.

    Args:
        build: makes the queryset.
        on_writer: read where rows are written, also outside of a transaction.
    """

    def __init__(self, build: Callable[..., models.QuerySet[Any, Row]], *, on_writer: bool = False) -> None:
        super().__init__(lambda *args, **options: Rows(build(*args, **options), on_writer=on_writer))


class Rows(_Shape["_Selected"], Generic[Row]):
    """One shape of a ``Select``."""

    def __init__(self, queryset: models.QuerySet[Any, Row], *, on_writer: bool) -> None:
        super().__init__()
        self.queryset = queryset
        self.on_writer = on_writer

    def compile(self, using: str) -> _Selected:
        return _Selected.of(self.queryset, using)

    def rows(self, **values: Any) -> list[Row]:
        """Run the statement with these values of its parameters."""
        using = router.db_for_write(self.queryset.model) if self.on_writer else self.queryset.db
        return self.find(using, values).rows(connections[using], values)

    def first(self, **values: Any) -> Row | None:
        """Return the first row, if there is one."""
        return next(iter(self.rows(**values)), None)


@dataclass(frozen=True)
class _Selected(_Compiled):
    converters: dict[int, Any]
    make: Callable[[str, Iterable[Any]], list[Any]]

    @classmethod
    def of(cls, queryset: models.QuerySet[Any, Any], using: str) -> _Selected:
        compiler: Any = queryset.query.chain().get_compiler(using)
        text, params = compiler.as_sql()
        expressions = [select[0] for select in compiler.select[: compiler.col_count]]
        return cls(text, tuple(params), compiler.get_converters(expressions), _maker(queryset, compiler))

    def rows(self, connection: BaseDatabaseWrapper, values: dict[str, Any]) -> list[Any]:
        with self.run(connection, values) as cursor:
            found: Iterable[Any] = cursor.fetchall()
        if self.converters:
            # Not by the compiler, whose connection is that of the thread that has compiled it.
            found = _converted(found, self.converters, connection)
        return self.make(connection.alias, found)


def _converted(
    rows: Iterable[Sequence[Any]], converters: dict[int, Any], connection: BaseDatabaseWrapper
) -> Iterable[list[Any]]:
    for row in map(list, rows):
        for position, (functions, expression) in converters.items():
            for convert in functions:
                row[position] = convert(row[position], expression, connection)
        yield row


def _maker(queryset: models.QuerySet[Any, Any], compiler: Any) -> Callable[[str, Iterable[Any]], list[Any]]:
    """Return what makes of the values of rows what the queryset would give."""
    kind: Any = queryset._iterable_class
    if kind is ModelIterable:
        if compiler.klass_info.get("related_klass_infos"):
            raise NotImplementedError("Select values_list() instead of related models.")
        fields, annotations = compiler.klass_info["select_fields"], compiler.annotation_col_map or {}
        names = [compiler.select[position][0].target.attname for position in fields]
        model = compiler.klass_info["model"]
        if annotations:
            return lambda using, rows: [
                _annotated(model.from_db(using, names, row[: len(names)]), annotations, row) for row in rows
            ]
        return lambda using, rows: [model.from_db(using, names, row) for row in rows]
    if kind is NamedValuesListIterable:
        named: Any = namedtuple("Row", queryset._fields)  # type: ignore[attr-defined, misc]
        return lambda using, rows: [named._make(row) for row in rows]
    if kind is ValuesListIterable:
        return lambda using, rows: [tuple(row) for row in rows]
    raise NotImplementedError(f"A statement cannot give what {kind.__name__} gives.")


def _annotated(instance: Any, annotations: dict[str, int], row: Sequence[Any]) -> Any:
    """Give a model's instance its annotations, whose values stand in the row behind those of its fields."""
    for name, position in annotations.items():
        setattr(instance, name, row[position])
    return instance


class _Write(_Shape[_Compiled]):
    """One shape of a statement that changes rows."""

    def __init__(self, model: type[models.Model]) -> None:
        super().__init__()
        self.model = model

    def run(self, **values: Any) -> int:
        """Run the statement with these values of its parameters. Returns how many rows it has changed."""
        return int(self.execute(values, lambda cursor: cursor.rowcount))

    def execute(self, values: dict[str, Any], read: Callable[[Any], Any]) -> Any:
        """Run it where the model is written, and return what is read of its cursor."""
        using = router.db_for_write(self.model)
        found = self.find(using, values)
        with transaction.mark_for_rollback_on_error(using), found.run(connections[using], values) as cursor:
            return read(cursor)


class Update(Statement["Changed"]):
    """Changed rows of a queryset, as ``QuerySet.update()`` changes them: no signals are sent.

    Args:
        build: makes the queryset, and its new values by the names of fields.
        returning: fields and annotations of the queryset, whose values after the change ``new_values()`` returns.
    """

    def __init__(
        self,
        build: Callable[..., tuple[models.QuerySet[Any, Any], dict[str, Any]]],
        *,
        returning: Sequence[str] = (),
    ) -> None:
        super().__init__(lambda *args, **options: Changed(*build(*args, **options), returning=returning))


class Changed(_Write):
    """One shape of an ``Update``."""

    def __init__(
        self, queryset: models.QuerySet[Any, Any], changes: dict[str, Any], *, returning: Sequence[str]
    ) -> None:
        super().__init__(queryset.model)
        self.queryset = queryset
        self.changes = changes
        self.returning = returning

    def compile(self, using: str) -> _Compiled:
        query: Any = self.queryset.query.chain(sql.UpdateQuery)
        query.annotations = {}
        query.add_update_values(self.changes)
        text, params = query.get_compiler(using).as_sql()
        if self.returning and _returns_what_it_updates(connections[using]):
            compiler: Any = self._changed().query.get_compiler(using)
            compiler.setup_query()
            columns = [column for _expression, column, _alias in compiler.select]
            text += " RETURNING " + ", ".join(column for column, _params in columns)
            params = (*params, *(each for _column, values in columns for each in values))
        return _Compiled(text, tuple(params))

    def _changed(self) -> models.QuerySet[Any, Any]:
        return self.queryset.values_list(*self.returning)

    def run_many(self, rows: Sequence[dict[str, Any]]) -> None:
        """Run the statement once for each of these sets of values, all of them in one go."""
        using = router.db_for_write(self.model)
        found, connection = self.find(using, rows[0]), connections[using]
        with transaction.mark_for_rollback_on_error(using), connection.cursor() as cursor:
            cursor.executemany(found.sql, [found.fill(connection, values) for values in rows])

    def new_values(self, **values: Any) -> tuple[Any, ...] | None:
        """Run the statement, which changes one row. Returns that row's ``returning``, or None if there is no such row.

        They are as the database gives them: numbers and texts, and a number for a boolean on some. A database that
        does not return what it updates is asked for it: call this in a transaction if others may change it meanwhile.
        """
        using = router.db_for_write(self.model)
        if _returns_what_it_updates(connections[using]):
            row = self.execute(values, lambda cursor: cursor.fetchone())
            return None if row is None else tuple(row)
        if not self.run(**values):
            return None
        select = Rows(self._changed(), on_writer=True)
        wanted = {each.name for each in select.compile(using).params if isinstance(each, Parameter)}
        [row] = select.rows(**{name: values[name] for name in wanted})
        return tuple(row)


def _returns_what_it_updates(connection: BaseDatabaseWrapper) -> bool:
    # MariaDB returns only what it inserts, and Oracle in another way.
    return (
        connection.vendor in ("postgresql", "sqlite") and connection.features.can_return_columns_from_insert
    )


class Delete(Statement["Deleted"]):
    """Deleted rows of a queryset, of a model that nothing refers to and nobody listens to."""

    def __init__(self, build: Callable[..., models.QuerySet[Any, Any]]) -> None:
        super().__init__(lambda *args, **options: Deleted(build(*args, **options)))


class Deleted(_Write):
    """One shape of a ``Delete``."""

    def __init__(self, queryset: models.QuerySet[Any, Any]) -> None:
        super().__init__(queryset.model)
        self.queryset = queryset

    def compile(self, using: str) -> _Compiled:
        text, params = self.queryset.query.chain(sql.DeleteQuery).get_compiler(using).as_sql()
        return _Compiled(text, tuple(params))


class Insert(Statement["Inserted"]):
    """A new row of a model."""

    def __init__(self, model: type[models.Model]) -> None:
        super().__init__(lambda: Inserted(model))


class Inserted(_Write):
    """The only shape of an ``Insert``."""

    def compile(self, using: str) -> _Compiled:
        row = self.model(**{field.attname: Parameter(field.attname, field) for field in self._fields})
        query: Any = sql.InsertQuery(self.model)
        query.insert_values(self._fields, [row])
        compiler = query.get_compiler(using)
        compiler.returning_fields = [self.model._meta.pk]
        [(text, params)] = compiler.as_sql()
        return _Compiled(text, tuple(params))

    @property
    def _fields(self) -> list[Any]:
        meta = self.model._meta
        return [field for field in meta.concrete_fields if field is not meta.auto_field]

    def run(self, **values: Any) -> Any:
        """Insert a row with these values, and the model's defaults for others, by the names of columns (``thread_id``).

        ``pre_save`` and ``post_save`` are sent where somebody listens to them: then the model saves itself.

        Returns:
            Its primary key.

        Raises:
            IntegrityError: when a constraint does not allow it.
        """
        if any(signal.has_listeners(self.model) for signal in (pre_save, post_save)):
            row = self.model(**values)
            row.save(force_insert=True)
            return row.pk
        all_values = {
            field.attname: values.pop(field.attname) if field.attname in values else field.get_default()
            for field in self._fields
        }
        if values:
            raise TypeError(f"{self.model.__name__} has no {sorted(values)}.")
        return self.execute(all_values, self._key)

    def _key(self, cursor: Any) -> Any:
        ops, meta = cursor.db.ops, self.model._meta
        if cursor.db.features.can_return_columns_from_insert:
            return cursor.fetchone()[0]
        return ops.last_insert_id(cursor, meta.db_table, meta.pk.column)  # SQLite before 3.35
