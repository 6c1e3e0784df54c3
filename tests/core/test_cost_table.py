"""What 200 answers cost, of every kind: worked out apart from the kit's code, to the nano-dollar.

From the published prices, USD per million tokens, by hand and in decimals:

              input  output  cache read  write 5 min  write 1 h
    haiku      0.10    0.50        0.01        0.125       0.20   prompt up to 100,000 tokens
    haiku      0.50    2.50        0.05        0.625       1.00   above: every token of the call
    sonnet     2      10           0.10        2.50        4
    opus       4      20           0.20        5           8      twice as much when fast
    fable     10      50           0.25       12.50       20      free if refused at once

A batch halves tokens, a call kept in the US adds a tenth to them, a search is 0.01 USD, thinking is
output. Fractions of a nano-dollar are rounded up.
"""

import re

import pytest

from claude_core.models import NANO, resolve
from claude_core.usage import Usage

IDS = {
    "haiku": "claude-haiku-5-5",
    "sonnet": "claude-sonnet-5-5",
    "opus": "claude-opus-5-5",
    "fable": "claude-fable-5-1",
}
TABLE = """
model    input  output    read write5m write1h           USD  and
haiku        1       1       0       0       0   0.000000600
haiku        8      12       0       0       0   0.000006800
haiku      312    1024       0       0       0   0.000543200
haiku     1500     400       0       0       0   0.000350000
haiku    25000    2048       0       0       0   0.003524000
haiku    88001     777       0       0       0   0.009188600
haiku        3  128000       0       0       0   0.064000300
sonnet       1       1       0       0       0   0.000012000
sonnet       8      12       0       0       0   0.000136000
sonnet     312    1024       0       0       0   0.010864000
sonnet    1500     400       0       0       0   0.007000000
sonnet   25000    2048       0       0       0   0.070480000
sonnet   88001     777       0       0       0   0.183772000
sonnet       3  128000       0       0       0   1.280006000
opus         1       1       0       0       0   0.000024000
opus         8      12       0       0       0   0.000272000
opus       312    1024       0       0       0   0.021728000
opus      1500     400       0       0       0   0.014000000
opus     25000    2048       0       0       0   0.140960000
opus     88001     777       0       0       0   0.367544000
opus         3  128000       0       0       0   2.560012000
fable        1       1       0       0       0   0.000060000
fable        8      12       0       0       0   0.000680000
fable      312    1024       0       0       0   0.054320000
fable     1500     400       0       0       0   0.035000000
fable    25000    2048       0       0       0   0.352400000
fable    88001     777       0       0       0   0.918860000
fable        3  128000       0       0       0   6.400030000
haiku   100000     500       0       0       0   0.010250000
haiku   100001     500       0       0       0   0.051250500
haiku    99999     500       1       0       0   0.010249910
haiku    99999     500       2       0       0   0.051249600
haiku    50000     500   50000       0       0   0.005750000
haiku    50000     500   50001       0       0   0.028750050
haiku        0     500  100001       0       0   0.006250050
haiku        1     500       0  100000       0   0.063750500
haiku        1     500       0   99999       0   0.012749975
haiku   400000     500       0       0       0   0.201250000
haiku   999000     500       0       0       0   0.500750000
haiku    60000     500   60000       0       0   0.034250000
haiku      201     615       0       1       0   0.000327725
haiku      310     327       0   20001       0   0.002694625
haiku      189    1237       0   20001       0   0.003137525
haiku      361    2957       0       1       0   0.001514725
haiku      679    1934       0   64000       0   0.009034900
haiku      395    1589       0    4097       0   0.001346125
haiku      416    1304       0    4097       0   0.001205725
haiku      548    2585       0       0    9999   0.003347100
haiku      648    1054       0       0       1   0.000592000
haiku      237    2102       0       0       1   0.001074900
haiku      585    1903       0       0       1   0.001010200
haiku       54    1551       0       0       7   0.000782300
haiku      515    2640   14031    3797    1452   0.002276835
haiku      783     841   13447    3197    3714   0.001775695
haiku      339      35    3510    2787    5008   0.001436475
haiku       53     636    5000       0       0   0.000373300
haiku       47    1268      11       0       0   0.000638810
haiku       31     959      11       0       0   0.000482710
haiku       22     453    5000       0       0   0.000278700
haiku       71     332   77777       0       0   0.000950870
haiku        3      77       0    2047       0   0.000147338  batch
haiku        3    2048       3       0       0   0.000512165  batch
haiku    12345       1       0       0       0   0.000617500  batch
haiku      999       1       3       1       0   0.000050278  batch
haiku   250000      77       0       0       0   0.062596250  batch
haiku        5      77       3       0       0   0.000019515  batch
haiku        3       1       0    2047       0   0.000128338  batch
haiku     3242   13770       0       0       0   0.007209200  13720 thinking
haiku     2039   14984       0       0       0   0.007695900  14934 thinking
haiku      285   16152       0       0       0   0.008104500  16102 thinking
haiku     1992       0       0       0       0   0.000199200  refused
haiku     1093     143       0       0       0   0.000180800  refused
haiku    32285     227       0       0       0   0.013342000  1 searches
haiku    27428     329       0       0       0   0.042907300  4 searches
haiku    34708     672       0       0       0   0.003806800  2 fetches
haiku      434      61       0       0       0   0.000081290  us
haiku       17      19       0       0       0   0.000011200  nulls
sonnet     179    2604       0    4097       0   0.036640500
sonnet      59     976       0     512       0   0.011158000
sonnet     653    2978       0   64000       0   0.191086000
sonnet     854    1715       0     512       0   0.020138000
sonnet     722    1448       0     512       0   0.017204000
sonnet     656      16       0    4097       0   0.011714500
sonnet     364    2919       0       1       0   0.029920500
sonnet     501    1342       0       0       7   0.014450000
sonnet     544    1194       0       0    9999   0.053024000
sonnet     416    1097       0       0   33333   0.145134000
sonnet     214    2699       0       0    9999   0.067414000
sonnet     189    2216       0       0       7   0.022566000
sonnet     457    2380   16012    3420    5671   0.057549200
sonnet     572     404   19500     168     789   0.010710000
sonnet     187    1967    6922    8271    4168   0.058085700
sonnet      83    1370   77777       0       0   0.021643700
sonnet      16     866      11       0       0   0.008693100
sonnet      37    1790      11       0       0   0.017975100
sonnet      66      58      11       0       0   0.000713100
sonnet      61    1655   98765       0       0   0.026548500
sonnet     999       3       0       3       0   0.001017750  batch
sonnet       1      77       3       0       0   0.000386150  batch
sonnet       5       1       0       0       0   0.000010000  batch
sonnet     999      77       3    2047       0   0.003942900  batch
sonnet     999      77       0       0       0   0.001384000  batch
sonnet       1       1       1       0       0   0.000006050  batch
sonnet     999       3       0       1       0   0.001015250  batch
sonnet    3095    3168       0       0       0   0.037870000  3118 thinking
sonnet    2978   17758       0       0       0   0.183536000  17708 thinking
sonnet    2687    2017       0       0       0   0.025544000  1967 thinking
sonnet    2943       0       0       0       0   0.005886000  refused
sonnet    1124     193       0       0       0   0.004178000  refused
sonnet   55031     472       0       0       0   0.124782000  1 searches
sonnet   12198     760       0       0       0   0.071996000  4 searches
sonnet   50734     667       0       0       0   0.108138000  2 fetches
sonnet      72      54       0       0       0   0.000752400  us
sonnet      17      19       0       0       0   0.000224000  nulls
opus       753     992       0    4097       0   0.043337000
opus        23    2070       0   20001       0   0.141497000
opus        84     153       0    1024       0   0.008516000
opus       439    2788       0     512       0   0.060076000
opus        15    1676       0   64000       0   0.353580000
opus       804    2929       0    4097       0   0.082281000
opus       267     613       0       3       0   0.013343000
opus       871    2341       0       0       7   0.050360000
opus       717    1173       0       0   33333   0.292992000
opus       529    2757       0       0   33333   0.323920000
opus       666    1096       0       0   33333   0.291248000
opus       708     257       0       0   33333   0.274636000
opus       565      93   10431    6511    7772   0.100937200
opus       616     434   19549    1992    8472   0.092789800
opus        74     959    5652     661    4946   0.063479400
opus        84    1841       1       0       0   0.037156200
opus        62    1876   77777       0       0   0.053323400
opus        33      57       1       0       0   0.001272200
opus        87     782       1       0       0   0.015988200
opus        71     293   77777       0       0   0.021699400
opus       999       1       0       3       0   0.002015500  batch
opus       999       1       1       0       0   0.002008100  batch
opus         1       1       0       0       0   0.000012000  batch
opus     12345       1       3       3       0   0.024707800  batch
opus    250000      77       0       0       0   0.500770000  batch
opus         3    2048    8191       0       0   0.021305100  batch
opus         1       3       0       1       0   0.000034500  batch
opus      1983   11231       0       0       0   0.232552000  11181 thinking
opus      1430   24249       0       0       0   0.490700000  24199 thinking
opus       129   15862       0       0       0   0.317756000  15812 thinking
opus       563       0       0       0       0   0.002252000  refused
opus      1103     188       0       0       0   0.008172000  refused
opus     39934     704       0       0       0   0.183816000  1 searches
opus     43693     840       0       0       0   0.231572000  4 searches
opus     30832     788       0       0       0   0.139088000  2 fetches
opus       101      81       0       0       0   0.002226400  us
opus        17      19       0       0       0   0.000448000  nulls
fable      580    2511       0       1       0   0.131362500
fable      333    2698       0   64000       0   0.938230000
fable      308    1095       0    1024       0   0.070630000
fable      271    2889       0    4097       0   0.198372500
fable      103    2706       0    1024       0   0.149130000
fable      876     945       0     512       0   0.062410000
fable      740    2523       0       1       0   0.133562500
fable      138    1340       0       0       1   0.068400000
fable      460    1566       0       0       1   0.082920000
fable      569     704       0       0   33333   0.707550000
fable      111    1050       0       0    9999   0.253590000
fable      531     941       0       0       1   0.052380000
fable      672    1534      91     289     902   0.105095250
fable       64    1346    6735    6688    7742   0.308063750
fable      565     822   12019    3931    3942   0.177732250
fable       61    1124   98765       0       0   0.081501250
fable       43    1038       1       0       0   0.052330250
fable       71      36    5000       0       0   0.003760000
fable       96    1978   77777       0       0   0.119304250
fable       66    1266      11       0       0   0.063962750
fable        1      77       0       3       0   0.001948750  batch
fable        5       1       3       0       0   0.000050375  batch
fable        5       1       0       0       0   0.000050000  batch
fable    12345       3       3       3       0   0.061819125  batch
fable        5      77       0       0       0   0.001950000  batch
fable        3       1       3       0       0   0.000040375  batch
fable        1       1       0       3       0   0.000048750  batch
fable      550   17240       0       0       0   0.867500000  17190 thinking
fable     1267   12999       0       0       0   0.662620000  12949 thinking
fable     3026   27218       0       0       0   1.391160000  27168 thinking
fable      566       0       0       0       0   0.000000000  refused
fable     1469     117       0       0       0   0.020540000  refused
fable    28417     329       0       0       0   0.310620000  1 searches
fable    36510     742       0       0       0   0.442200000  4 searches
fable    34223     643       0       0       0   0.374380000  2 fetches
fable      829      98       0       0       0   0.014509000  us
fable       17      19       0       0       0   0.001120000  nulls
sonnet      10      10       0    1000       0   0.002620000  no ttl
haiku       10      10       0    1000       0   0.000131000  no ttl
opus         1       1       0       0       0   0.000048000  fast
opus      4000     900       0       0       0   0.068000000  fast
opus    120000    4096       0       0       0   1.123840000  fast
opus        33      77       0       0       0   0.003678400  fast, us
sonnet      33      77       0       0       0   0.000459800  batch, us
sonnet      40       0    9000       0       0   0.000980000  refused
fable       40     311       0       0       0   0.015950000  311 thinking, refused
haiku   100001       1       0       0       0   0.025001500  batch
sonnet      33      77       0       0       0   0.000836000  priority
sonnet   20000      77       0       0       0   0.050385000  batch, 3 searches
"""
ROWS = [
    re.fullmatch(r"(\w+) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+) +(\S+)(?:  (.*))?", line)
    for line in TABLE.strip().splitlines()[1:]
]


def usage_of(read: int, write_5m: int, write_1h: int, more: str) -> dict[str, object]:
    """The rest of a `usage` as the Messages API writes it."""
    if "nulls" in more:
        nulls = ("cache_creation", "server_tool_use", "cache_read_input_tokens")
        return dict.fromkeys(nulls) | {"service_tier": "standard", "inference_geo": "global"}
    counts = {name: int(number) for number, name in re.findall(r"(\d+) (\w+)", more)}
    tools = {"searches": "web_search_requests", "fetches": "web_fetch_requests"}
    ttls = {"ephemeral_5m_input_tokens": write_5m, "ephemeral_1h_input_tokens": write_1h}
    tier = re.search("batch|priority", more)
    return {
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": write_5m + write_1h,
        "cache_creation": None if "no ttl" in more else ttls,
        "server_tool_use": {name: counts.get(word, 0) for word, name in tools.items()},
        "output_tokens_details": {"thinking_tokens": counts.get("thinking", 0)},
        "service_tier": tier[0] if tier else "standard",
        "speed": "fast" if "fast" in more else None,
        "inference_geo": "us" if "us" in more.split(", ") else "not_available",
    }


def test_there_are_two_hundred_of_every_kind() -> None:
    kinds = ("batch", "fast", "us", "searches", "fetches", "thinking", "refused", "nulls", "no ttl")
    assert len(ROWS) == 200
    assert all(any(kind in line for line in TABLE.splitlines()) for kind in kinds)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row and row[0].replace(" ", "_"))
def test_the_cost_of_an_answer_is_the_one_worked_out_by_hand(row: re.Match[str] | None) -> None:
    assert row
    model, more = resolve(IDS[row[1]]), row[8] or ""
    tokens = {"input_tokens": int(row[2]), "output_tokens": int(row[3])}
    usage = tokens | usage_of(int(row[4]), int(row[5]), int(row[6]), more)
    cost = model.cost(Usage.from_json(usage), "refusal" if "refused" in more else "end_turn")
    assert f"{cost // NANO}.{cost % NANO:09}" == row[7]
