"""SQL reaches the files asked for and no other; where an expression is asked, it is one; a model's
own calls what is on a list.
"""

import json
import random
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import pandas
import pytest

import polydescent as pd
from polydescent import errors
from polydescent.models import model as store
from polydescent.regression.summary import Summary
from polydescent.rows import locked
from polydescent.rows.expressions import _FUNCTIONS, expression
from polydescent.rows.files import files

NAMES = ["x", "y", "w", "the x"]
ROWS = "x,y,w\n1,2,1\n2,4,1\n3,6.5,2\n4,8,1\n5,9,1\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with data, and with a secret that no query here has any business with."""
    monkeypatch.chdir(tmp_path)
    Path("d.csv").write_text(ROWS)
    Path("e.csv").write_text("x,y,w\n6,12,1\n7,14,1\n")
    Path("secret.csv").write_text("x,y\n1,1\n2,2\n3,3\n")
    duckdb.connect("other.db").close()
    return tmp_path


@pytest.fixture
def connection(folder):
    with locked.connect([folder / "d.csv"]) as opened:
        yield opened


def state(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def refused_untouched(folder, call):
    """The refusal of a call that leaves the folder as it was."""
    before = state(folder)
    with pytest.raises(pd.PolydescentError) as caught:
        call()
    assert state(folder) == before
    return caught.value


# ── the connection ───────────────────────────────────────────────────────────────────────────────

OUTSIDE = """
FROM read_csv('secret.csv')
FROM 'secret.csv'
FROM read_text('secret.csv')
FROM read_blob('secret.csv')
FROM read_json('secret.csv')
FROM read_parquet('secret.csv')
FROM glob('*')
FROM read_csv('https://localhost:9/d.csv')
FROM 's3://bucket/d.csv'
FROM NAMES
COPY (SELECT 1) TO 'PWN.csv'
COPY (SELECT 1) TO 'd.csv'
COPY (SELECT 1) TO 'PWN.parquet' (FORMAT parquet)
EXPORT DATABASE 'PWN'
IMPORT DATABASE 'PWN'
ATTACH 'other.db'
ATTACH 'PWN.db'
CREATE TABLE t AS FROM read_csv('secret.csv')
INSTALL httpfs
LOAD httpfs
LOAD './PWN.duckdb_extension'
INSTALL h3 FROM community
SET threads = 1
SET enable_external_access = true
SET allowed_paths = ['secret.csv']
SET allowed_directories = ['/']
SET lock_configuration = false
RESET enable_external_access
PRAGMA threads = 1
SET temp_directory = 'PWN'
SELECT getenv('HOME')
"""


def test_a_locked_connection_reaches_nothing_else(folder, connection, subtests):
    before = state(folder)
    for statement in OUTSIDE.strip().splitlines():
        with subtests.test(statement), pytest.raises(duckdb.Error):
            connection.execute(statement).fetchall()
        assert state(folder) == before
    path = locked.file(folder / "d.csv")
    assert len(connection.execute(f"FROM read_csv({path})").fetchall()) == 5


SETTINGS = {
    "lock_configuration": True,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "allow_unsigned_extensions": False,
    "python_enable_replacements": False,
}


@pytest.mark.parametrize("opens", [(), None], ids=["locked", "typed"])
def test_settings_are_locked_whatever_it_opens(opens):
    with locked.connect(opens) as connection:
        for name, wanted in (SETTINGS | {"enable_external_access": opens is None}).items():
            found = connection.execute(f"SELECT current_setting('{name}')").fetchall()
            assert found == [(wanted,)], name
            with pytest.raises(duckdb.Error, match="locked"):
                connection.execute(f"SET {name} = {not wanted}")


def test_a_name_stands_for_itself_alone(folder, subtests):
    for near in ("a1.csv", "star.csv", "qq.csv", "t.csv", "its.csv"):
        Path(near).write_text("x,y\n1,9\n2,9\n3,9\n")
    for name in ("a[1].csv", "s*.csv", "q?.csv", "~t.csv", "it's.csv", 'q"q.csv'):
        with subtests.test(name):
            try:
                Path(name).write_text("x,y\n1,1\n2,2\n3,3\n")
            except OSError:
                continue  # no name for a file here
            line = pd.fit(name, x="x", y="y", degree=1)
            assert line.coef[1] == pytest.approx(1, rel=1e-12)


def test_a_path_through_a_link_is_the_systems(folder):
    Path("deep/er").mkdir(parents=True)
    Path("link").symlink_to("deep/er")
    Path("deep/t.csv").write_text("x,y\n1,1\n2,2\n3,3\n")
    Path("t.csv").write_text("x,y\n1,9\n2,9\n3,9\n")
    Path("named").write_text(ROWS)
    Path("d2.csv").symlink_to("named")
    assert pd.fit("link/../t.csv", x="x", y="y", degree=1).coef[1] == pytest.approx(1)
    assert pd.fit("d2.csv", x="x", y="y", degree=1).n == 5


# ── one expression ───────────────────────────────────────────────────────────────────────────────

HOSTILE = """
true; COPY (SELECT 1) TO 'PWN.csv'
x; COPY (SELECT 1) TO 'PWN.csv'; --
1) FROM read_csv('secret.csv') --
1), (SELECT 1
true) OR (SELECT count(*) > 0 FROM read_text('secret.csv')
(SELECT count(*) FROM read_csv('secret.csv'))
(FROM read_text('secret.csv') SELECT length(content))
x IN (SELECT x FROM 'secret.csv')
EXISTS (FROM glob('*'))
x = ANY (SELECT x FROM 'secret.csv')
ARRAY(SELECT x FROM 'secret.csv')
x IN (SELECT * FROM range(1000000000000000))
x IN (WITH RECURSIVE r AS (SELECT 1 AS i UNION ALL SELECT i FROM r) SELECT i FROM r)
(SELECT count(*) FROM range(10000000) a, range(10000000) b)
x; ATTACH 'other.db'
x; LOAD httpfs
x; INSTALL httpfs
x; SET lock_configuration = false
x; PRAGMA threads = 1
x; SELECT 1
getenv('HOME')
read_text('secret.csv')
glob('*')
query('SELECT 1')
x, y
x AS z
*
COLUMNS(*)
x FROM t
x LIMIT 1
x UNION SELECT 1
x ORDER BY y
SELECT x
x /*
1) + (2
x)) OR ((y
sum(x) OVER ()
max(x)
count(*)
sum(x) FILTER (x > 1)
list_transform([x], lambda v: v)
$1
?
#1
;
--
"""
EVERY = HOSTILE.strip().splitlines()


# no function of these names is on the connection: DuckDB says so when it runs
UNKNOWN = ("getenv('HOME')", "read_text('secret.csv')", "glob('*')", "query('SELECT 1')")


def test_what_is_no_expression_of_a_row_is_refused(connection, subtests):
    for text in EVERY:
        with subtests.test(text):
            with pytest.raises(pd.PolydescentError):
                expression(connection, text, NAMES, "x", trusted=False)
            if text in UNKNOWN:
                sql = expression(connection, text, NAMES, "x")
                with pytest.raises(duckdb.Error):
                    connection.execute(f"SELECT {sql} FROM (SELECT 1 AS x)")
                continue
            with pytest.raises(errors.NoExpression):
                expression(connection, text, NAMES, "x")


@pytest.mark.parametrize("role", ["x", "y", "weights", "sigma", "counts", "where"])
@pytest.mark.parametrize("text", [EVERY[0], EVERY[2], EVERY[5], "1) + (2"])
def test_it_is_refused_in_every_role_of_every_source(folder, role, text):
    table = pandas.DataFrame({"x": [1.0, 2, 3], "y": [1.0, 2, 4]})
    for source in ("d.csv", table, "SELECT * FROM 'd.csv'"):
        asked = {"x": "x", "y": "y"} | {role: text}
        refused_untouched(folder, lambda s=source, asked=asked: pd.fit(s, degree=1, **asked))


SOUP = ["(", ")", "x", "y", ",", ";", "--", "/*", "*/", "'", '"', "$$", "\n", "1", "+", "AS"]
SOUP += [
    "FROM t",
    "SELECT",
    "WHERE",
    "UNION",
    "LIMIT 1",
    "a:",
    "[",
    "]",
    "{",
    "}",
    "E'\\'",
    "x::INT",
]
SOUP += ["x", "1", "+"] * 4


def test_what_is_accepted_stays_in_its_place():
    """Independently: the whole query has the columns, the table and the clause meant for it."""
    draw, accepted = random.Random(0), 0
    with locked.connect([]) as connection:
        for _ in range(400):
            text = " ".join(draw.choices(SOUP, k=draw.randint(1, 5)))
            try:
                sql = expression(connection, text, NAMES, "x")
            except pd.PolydescentError:
                continue
            accepted += 1
            query = f"SELECT CAST({sql} AS DOUBLE) AS a, 7 AS b FROM t WHERE {sql}"
            parse = "SELECT json_serialize_sql(?::VARCHAR)"
            (found,) = connection.execute(parse, [query]).fetchall()[0]
            (statement,) = json.loads(found)["statements"]
            node = statement["node"]
            assert [column["alias"] for column in node["select_list"]] == ["a", "b"], text
            assert node["from_table"]["table_name"] == "t"
            assert node["where_clause"] is not None
            assert node["modifiers"] == []
    assert accepted > 20


def test_depth_and_length_are_bounded(connection, subtests):
    forms = [("(", "x", ")"), ("", "x", " + x"), ("- ", "x", ""), ("abs(", "x", ")")]
    for before, middle, after in forms:
        with subtests.test(f"{before}{middle}{after}"):
            for depth in (100, 300, 900, 3000):  # either is right, neither may end the process
                with suppress(errors.NoExpression):
                    text = before * depth + middle + after * depth
                    assert text in expression(connection, text, NAMES, "x", trusted=False)
            text = before * 100_000 + middle + after * 100_000
            with pytest.raises(errors.NoExpression, match="characters long, the most is") as why:
                expression(connection, text, NAMES, "x")
            assert len(str(why.value)) < 600


def test_a_comment_at_the_end_hides_nothing(folder):
    plain = pd.fit("d.csv", x="x", y="y", where="x < 5", degree=1)
    asked: dict[str, Any] = {"x": "x + 0 -- a", "y": "y /* b */", "where": "x < 5 --"}
    for source in ("d.csv", "SELECT * FROM 'd.csv' -- all of them"):
        assert pd.fit(source, degree=1, **asked).coef.tolist() == plain.coef.tolist()


# ── SQL as the source ────────────────────────────────────────────────────────────────────────────

NO_SOURCE = """
SELECT * FROM 'd.csv'; COPY (SELECT 1) TO 'PWN.csv'
SELECT * FROM 'd.csv') TO 'PWN.csv'; --
WITH a AS (COPY (SELECT 1) TO 'PWN.csv') SELECT * FROM 'd.csv'
FROM 'd.csv'; ATTACH 'PWN.db'
SELECT * FROM 'd.csv'; SET threads = 1
FROM 'https://localhost:9/d.csv'
FROM 's3://bucket/d.csv'
FROM table_of_python
SELECT 1 AS x; SELECT 2 AS y
"""


@pytest.mark.parametrize("text", NO_SOURCE.strip().splitlines())
def test_a_source_is_one_select_and_loads_nothing(folder, text):
    table_of_python = pandas.DataFrame({"x": [1.0, 2, 3], "y": [1.0, 2, 4]})
    refused_untouched(folder, lambda: pd.fit(text, x="x", y="y", degree=1))
    del table_of_python


# ── SQL in a model ───────────────────────────────────────────────────────────────────────────────

PURE = """
x + 1
"the x" * 2
X
t.x
-x ** 2 // 3 % 2
ln(x + 1) / log10(y) - sqrt(abs(x))
CASE WHEN x > 1 THEN 1 ELSE y END
x BETWEEN 1 AND 2 AND NOT y IN (1, 2) OR x IS NULL
x IS DISTINCT FROM y
coalesce(x, y, 0)
nullif(x, -999)
if(x > 1, 1, 2)
x::DOUBLE
TRY_CAST(x AS DECIMAL(10, 2))
epoch(strptime(x, '%Y-%m'))
year(x) + (month(x) - 1) / 12
extract(doy FROM x)
date_trunc('month', x)
x - DATE '2020-01-01'
x + INTERVAL 1 DAY
x AT TIME ZONE 'UTC'
x LIKE 'a%' OR x NOT ILIKE 'b_' OR x ~ 'c+'
position('a' IN x)
replace(x, ',', '.')::DOUBLE
trim(BOTH ' ' FROM x)
substring(x FROM 1 FOR 3)
greatest(x, y) + least(x, 1)
1 / ((w) * (w))
true
"""
IMPURE = """
random()
now()
current_setting('threads')
getvariable('a')
nextval('s')
sleep_ms(100000)
error('x')
write_log('x')
unnest([1, 2])
range(1000000000)
repeat('x', 1000000000)
lpad('x', 1000000000, 'y')
format('{:>1000000000}', x)
system.main.ln(x)
x.ln()
row(x, y)
json_execute_serialized_sql(x)
nonesuch(x)
"""


def test_arithmetic_of_columns_needs_no_trust(connection, subtests):
    for text in PURE.strip().splitlines():
        with subtests.test(text):
            assert text in expression(connection, text, NAMES, "x", trusted=False)


def test_other_functions_need_trust_and_are_shown(connection, subtests):
    for text in IMPURE.strip().splitlines():
        with subtests.test(text):
            with pytest.raises(errors.UntrustedSql) as caught:
                expression(connection, text, NAMES, "x", trusted=False)
            assert repr(text) in str(caught.value)
            assert "--trust" in str(caught.value)
            assert text in expression(connection, text, NAMES, "x", trusted=True)


def test_what_is_no_column_is_none_in_a_model(connection):
    for text in ("current_user", "current_date", "nope", "w + secret.v.z"):
        with pytest.raises(errors.UnknownName, match="no column"):
            expression(connection, text, NAMES, "x", trusted=False)


def test_the_functions_on_the_list_are_functions_of_a_row(connection):
    kinds = connection.execute("SELECT function_name, function_type FROM duckdb_functions()")
    others = {name for name, kind in kinds.fetchall() if kind not in ("scalar", "macro")}
    assert not _FUNCTIONS & others


def forged(folder, asked):
    """A model as somebody else may send it, every byte as this version writes it."""
    x, y = pandas.read_csv("d.csv")[["x", "y"]].to_numpy().T
    summary = Summary.of_rows(x, y, None, 1)
    store.save(store.Model(summary, {"x": "x", "y": "y"} | asked), folder / "m.json")


@pytest.mark.parametrize("role", ["x", "y", "weights", "sigma", "counts", "where"])
@pytest.mark.parametrize("trust", [(), ("--trust",)], ids=["", "trust"])
def test_a_model_runs_nothing_on_another_machine(polydescent, folder, subtests, role, trust):
    for text in (EVERY[0], EVERY[5], "1) + (2"):
        forged(folder, {role: text})
        before = state(folder)
        with subtests.test(text):
            code, out, err = polydescent("update", "m.json", "e.csv", *trust)
            assert (code, out) == (2, "")
            assert err.startswith("polydescent: ")
            if role == "x":
                code, out, err = polydescent("predict", "m.json", "e.csv", *trust)
                assert (code, out) == (2, "")
            assert state(folder) == before


def test_trust_is_for_functions_that_were_read(polydescent, folder):
    text = "x + length(repeat('a', 0))"
    forged(folder, {"x": text})
    for command in ("update", "predict"):
        before = state(folder)
        code, out, err = polydescent(command, "m.json", "e.csv")
        assert (code, out) == (2, "")
        assert text in err
        assert "'repeat'" in err
        assert "--trust" in err
        assert state(folder) == before
        code, out, _ = polydescent(command, "m.json", "e.csv", "--trust")
        assert code == 0
        assert out.startswith("2 rows read" if command == "update" else '"x + length')


def test_sql_that_was_a_source_is_remembered_and_not_run(polydescent, folder):
    query = "SELECT x, y FROM 'secret.csv'"
    polydescent("fit", query, "--x", "x", "--y", "y", "--degree", 1, "--save", "m.json")
    Path("secret.csv").unlink()
    code, out, _ = polydescent("update", "m.json", "e.csv")
    assert (code, out) == (0, "2 rows read, m.json now holds 5\n")
    code, out, _ = polydescent("predict", "m.json", "e.csv")
    assert code == 0


def test_whoever_passes_files_says_whether_the_sql_is_trusted(folder):
    asked = ("x + random() * 0", "y")
    assert sum(rows.n for rows, _ in files("d.csv", *asked).chunks()) == 5
    with pytest.raises(errors.UntrustedSql):
        list(files("d.csv", *asked, trusted=False).chunks())
