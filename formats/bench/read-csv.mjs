// Times reading of a CSV file into typed columns: node formats/bench/read-csv.mjs <file> [block bytes] [name:type ...]
import { createReadStream } from 'node:fs';
import { openCsv } from '@sluice/formats';
import { types } from '@sluice/sdk';
