/** Every type with its awkward values, as SQL literals. */

export interface TypeCase {
  readonly type: string;
  readonly values: readonly string[];
  /** Oldest version that has the type or the values. */
  readonly since?: number;
  /** Statements that both databases need first. */
  readonly setup?: string;
  /** The column's type in a table that the sink creates, where it is not the same. */
  readonly becomes?: string;
}

const integers = (low: string, high: string) => ['0', '1', '-1', low, high];
const times = [
  "'1970-01-01 00:00:00'",
  "'2024-02-29 23:59:59.999999'",
  "'0001-01-01 00:00:00'",
  "'infinity'",
  "'-infinity'",
];
const far = [
  "'4713-01-01 00:00:00 BC'",
  "'0044-03-15 12:00:00.5 BC'",
  "'294276-12-31 23:59:59.999999'",
  "'12345-06-07 08:09:10'",
];

export const TYPE_CASES: readonly TypeCase[] = [
  { type: 'boolean', values: ['true', 'false'] },
  { type: 'smallint', values: integers('-32768', '32767') },
  { type: 'integer', values: integers('-2147483648', '2147483647') },
  {
    type: 'bigint',
    values: [...integers('-9223372036854775808', '9223372036854775807'), '9007199254740993', '-4294967296'],
  },
  { type: 'oid', values: ['0', '1', '4294967295'] },
  {
    type: 'real',
    values: ['0', "'-0'", '1.5', '3.4028235e38', '1e-45', "'NaN'", "'Infinity'", "'-Infinity'", '0.1'],
  },
  {
    type: 'double precision',
    values: ['0', "'-0'", '0.1', '1.7976931348623157e308', '5e-324', "'NaN'", "'Infinity'", "'-Infinity'"],
  },
  {
    type: 'numeric',
    values: [
      '0',
      '0.00',
      '-0.5',
      '1.500',
      '100000000',
      '0.00001234',
      '-12345678901234567890123456789012345678901234567890.123456789',
      "'NaN'",
      '1e130',
      '1e-30',
      '10000',
      '9999',
      '0.0001',
    ],
  },
  { type: 'numeric', values: ["'Infinity'", "'-Infinity'", '42'], since: 14 },
  {
    type: 'numeric(12,2)',
    values: ['0', '0.01', '-0.01', '9999999999.99', '-9999999999.99', '10000', '10000.10', "'NaN'"],
  },
  { type: 'numeric(5,0)', values: ['0', '99999', '-99999', '10000'] },
  { type: 'numeric(4,4)', values: ['0', '0.0001', '-0.9999', '0.5'] },
  {
    type: 'numeric(18,6)',
    values: ['0', '999999999999.999999', '-999999999999.999999', '9007199254.740993', '0.000001'],
  },
  { type: 'numeric(18,18)', values: ['0', '0.999999999999999999', '-0.000000000000000001'] },
  {
    type: 'numeric(38,10)',
    values: [
      '0',
      '9999999999999999999999999999.9999999999',
      '-9999999999999999999999999999.9999999999',
      '-1',
      '0.0000000001',
      "'NaN'",
      '-9007199254740993',
    ],
  },
  // Around what a double holds exactly, and around the lower half of 128 bits.
  {
    type: 'numeric(38,10)',
    values: [
      ...['9007.1992547409', '9007.1992547410', '-9007.1992547410', '900719.9254740991', '900719.9254740993'],
      ...['922337203.6854775807', '922337203.6854775808', '-922337203.6854775809', '1844674407.3709551616'],
    ],
  },
  { type: 'numeric(38,0)', values: ['99999999999999999999999999999999999999', '-1', '18446744073709551616'] },
  {
    type: 'numeric(60,5)',
    values: ['0', '1234567890123456789012345678901234567890123456789012345.54321', '-0.00001', "'NaN'"],
  },
  { type: 'numeric(3,-2)', values: ['12300', '-99900', '0'], since: 15 },
  { type: 'numeric(2,5)', values: ['0.00099', '-0.00001', '0'], since: 15 },
  {
    type: 'text',
    values: [
      "''",
      "'plain'",
      "E'tab\\tnewline\\nquote\\'backslash\\\\'",
      "'ünïcödé 🚀 ﷽'",
      "repeat('x', 300)",
      "repeat('🚀', 100000)",
      "'\\N'",
      "'\\.'",
    ],
  },
  { type: 'character varying(10)', values: ["''", "'ten chars!'", "'ü'"] },
  { type: 'character(5)', values: ["''", "'ab'", "'abcde'", "'üüüüü'"] },
  { type: 'name', values: ["'a'", "'a name with spaces'"] },
  { type: '"char"', values: ["'a'", "''"] },
  { type: '"char"', values: ["'é'"], since: 15 },
  { type: 'bytea', values: ["''", "'\\x00'", "'\\x00ff10'", "decode(repeat('deadbeef', 1000), 'hex')"] },
  {
    type: 'uuid',
    values: [
      "'00000000-0000-0000-0000-000000000000'",
      "'ffffffff-ffff-ffff-ffff-ffffffffffff'",
      "'01234567-89ab-cdef-0123-456789abcdef'",
    ],
  },
  {
    type: 'date',
    values: [
      "'1970-01-01'",
      "'2000-01-01'",
      "'0001-01-01'",
      "'4713-01-01 BC'",
      "'5874897-12-31'",
      "'infinity'",
      "'-infinity'",
    ],
  },
  { type: 'time without time zone', values: ["'00:00'", "'23:59:59.999999'", "'24:00:00'"] },
  { type: 'time(3) without time zone', values: ["'00:00:00.123'"] },
  { type: 'time with time zone', values: ["'00:00+00'", "'23:59:59.999999-15:59'", "'24:00:00+12'"] },
  { type: 'timestamp without time zone', values: [...times, ...far] },
  { type: 'timestamp(0) without time zone', values: times },
  {
    type: 'timestamp with time zone',
    values: [
      ...times.map((t) => `timestamptz ${t}`),
      ...far.map((t) => `timestamptz ${t}`),
      "'2024-03-31 02:30:00+02'",
    ],
  },
  {
    type: 'interval',
    values: [
      "'0'",
      "'1 mon'",
      "'-1 mon 2 days -00:00:00.000001'",
      "'178000000 years'",
      "'2562047:47:16.854775'",
      "'-2562047:47:16.854776'",
    ],
  },
  { type: 'interval', values: ["'2562047788:00:54.775807'", "'-2562047788:00:54.775807'"], since: 15 },
  { type: 'interval', values: ["'infinity'", "'-infinity'"], since: 17 },
  { type: 'interval day to minute', values: ["'3 days 04:05'"] },
  {
    type: 'json',
    values: [`'{"b": 1, "a": [1e400, 0.10]}'`, "'null'", `'"x"'`, `' { "a" : 1, "a" : 2 } '`, `'"\\u0000"'`],
  },
  {
    type: 'jsonb',
    values: [`'{"b": 1, "a": [0.10, 12345678901234567890.123]}'`, "'null'", "'[]'", `'"🚀"'`],
  },
  { type: 'money', values: ["'0'", "'-92233720368547758.08'", "'12.34'"] },
  { type: 'bit(3)', values: ["B'101'", "B'000'"] },
  { type: 'bit varying(20)', values: ["B''", "B'10110'"] },
  { type: 'inet', values: ["'127.0.0.1'", "'10.0.0.0/8'", "'::1'", "'2001:db8::/32'"] },
  { type: 'cidr', values: ["'10.0.0.0/8'", "'2001:db8::/32'"] },
  { type: 'macaddr', values: ["'08:00:2b:01:02:03'"] },
  { type: 'macaddr8', values: ["'08:00:2b:01:02:03:04:05'"] },
  { type: 'xml', values: ["'<a>ü</a>'", "''"] },
  { type: 'pg_lsn', values: ["'0/0'", "'16/B374D848'"] },
  { type: 'tsvector', values: ["'a:1 fat:2,4 cat:3'", "''"] },
  { type: 'tsquery', values: ["'fat & (rat | cat)'"] },
  { type: 'point', values: ["'(1.5,-2)'"] },
  { type: 'polygon', values: ["'((0,0),(1,1),(1,0))'"] },
  { type: 'path', values: ["'[(0,0),(1,1)]'"] },
  { type: 'circle', values: ["'<(0,0),5>'"] },
  { type: 'box', values: ["'(1,1),(0,0)'"] },
  { type: 'line', values: ["'{1,2,3}'"] },
  { type: 'lseg', values: ["'[(0,0),(1,1)]'"] },
  { type: 'int4range', values: ["'[1,10)'", "'empty'", "'(,)'"] },
  { type: 'tstzrange', values: ["'[2024-01-01 00:00+00,infinity)'"] },
  { type: 'int8multirange', values: ["'{[1,3),[5,8)}'", "'{}'"], since: 14 },
  { type: 'xid', values: ["'1'", "'4294967295'"] },
  { type: 'regclass', values: ["'pg_class'"] },
  {
    type: 'integer[]',
    values: ["'{}'", "'{1,NULL,-3}'", "'{{1,2},{3,NULL}}'", "'[0:1]={7,8}'", "'{2147483647}'"],
  },
  { type: 'bigint[]', values: ["'{9223372036854775807,NULL}'"] },
  { type: 'boolean[]', values: ["'{t,f,NULL}'"] },
  {
    type: 'text[]',
    values: ["'{}'", `'{a,"b c",NULL,"NULL","","q\\"uote",back\\\\slash,ü}'`, `'{{a,"x,y"},{"{",NULL}}'`],
  },
  { type: 'character varying(5)[]', values: ["'{abcde,NULL}'"] },
  { type: 'numeric(10,2)[]', values: ["'{1.50,NULL,-99999999.99,NaN}'"] },
  { type: 'numeric[]', values: ["'{1.500,0.00001,NaN}'", "'{{1.5},{2}}'"] },
  { type: 'double precision[]', values: ["'{0.1,NaN,Infinity}'"] },
  { type: 'uuid[]', values: ["'{01234567-89ab-cdef-0123-456789abcdef,NULL}'"] },
  { type: 'bytea[]', values: [`'{"\\\\x00ff",NULL}'`, `'{{"\\\\x01"},{"\\\\x02"}}'`] },
  {
    type: 'date[]',
    values: ['\'{2024-02-29,infinity,"4713-01-01 BC"}\'', "'{{2024-02-29},{0044-03-15 BC}}'"],
  },
  {
    type: 'timestamp with time zone[]',
    values: [`'{"2024-02-29 12:00:00+00",-infinity,NULL}'`, `'{{"0044-03-15 12:00:00.5+00 BC"}}'`],
  },
  { type: 'timestamp without time zone[]', values: [`'{{"2024-02-29 12:00:00.25",infinity}}'`] },
  { type: 'interval[]', values: [`'{"1 mon 2 days 03:00:00",NULL}'`, `'{{"-1 days +00:00:00.5"}}'`] },
  { type: 'jsonb[]', values: [`'{"{\\"a\\": 1}",NULL}'`] },
  { type: 'inet[]', values: ["'{127.0.0.1,NULL}'"] },
  { type: 'int2vector', values: ["'1 2 3'"] },
  {
    type: 'mood',
    setup: `CREATE TYPE mood AS ENUM ('sad', 'so-so', 'ha"pp''y')`,
    values: ["'sad'", "'so-so'", `'ha"pp''y'`],
  },
  { type: 'mood[]', setup: "CREATE TYPE mood AS ENUM ('sad', 'happy')", values: ["'{sad,NULL,happy}'"] },
  {
    type: 'positive',
    setup: 'CREATE DOMAIN positive AS numeric(8,2) CHECK (VALUE > 0)',
    values: ['0.01', '999999.99'],
  },
  { type: '"Odd Domain"', setup: 'CREATE DOMAIN "Odd Domain" AS text', values: ["'x'"] },
  { type: 'int_list', setup: 'CREATE DOMAIN int_list AS integer[]', values: ["'{1,2}'"] },
  { type: 'pair', setup: 'CREATE TYPE pair AS (a integer, b text)', values: [`'(1,"x,y")'`, "'(,)'"] },
  { type: 'pair[]', setup: 'CREATE TYPE pair AS (a integer, b text)', values: [`'{"(1,x)",NULL}'`] },
];
