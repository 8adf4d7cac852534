/** Writes one split's rows into parts, and makes epochs of them. See docs/design/file-commit.md. */
import type { StoredWriter } from '@sluice/formats';
import {
  type Batch,
  type Clear,
  type Epoch,
  failpoint,
  type LaneRequest,
  sdkErrors,
  type TablePlan,
  type Token,
  type TwoPhaseWriter,
} from '@sluice/sdk';
import { type EpochFile, epochName, hash, type JobFolder, type PartsPlace } from './job-folder.js';
import type { PartFormat, PartWriter } from './part-format.js';
import { Partitions } from './partitions.js';
import type { TargetDetail } from './target-detail.js';

export interface Rotation {
  readonly bytes: number;
  readonly rows: number;
}

/** Parts that one stream has open at once, however many partitions its rows belong to. */
const MOST_OPEN = 32;

interface OpenPart {
  readonly file: StoredWriter;
  readonly writer: PartWriter;
  rows: number;
}

/** Where parts belong: a partition of a stream's target, or, as its folder is empty, the target itself. */
interface Place {
  readonly folder: string;
  /** Names of this epoch's parts. */
  readonly parts: string[];
  open?: OpenPart;
}

/** What there is of a stream that the lane writes. */
interface Target {
  readonly table: TablePlan;
  readonly partitions: Partitions;
  /** By folder; those whose part is open in the order of their last use. */
  readonly places: Map<string, Place>;
  readonly mostOpen: number;
  /** Bytes that an open part may hold back. */
  readonly memory: number;
}

export class FileWriter implements TwoPhaseWriter {
  readonly protocol = 'two-phase';
  private readonly targets: ReadonlyMap<string, Target>;
  private hasFolder = false;
  private partCount = 0;
  /** Epochs of this writer; part of the names of its files, which must not meet those of another epoch. */
  private turn = 0;

  constructor(
    private readonly folder: JobFolder,
    private readonly lane: LaneRequest,
    private readonly format: PartFormat,
    private readonly rotation: Rotation,
    /** Bytes that open parts may hold back. */
    memory: number,
  ) {
    const share = memory / lane.tables.length;
    this.targets = new Map(lane.tables.map((table) => [table.stream, targetOf(table, format, share)]));
  }

  async write(message: Batch | Clear): Promise<void> {
    if (message.kind === 'clear') throw sdkErrors.notSupported('files cannot clear a stream');
    const target = this.targets.get(message.stream)!;
    for (const { folder, rows } of target.partitions.split(message)) {
      const place = placeIn(target, folder);
      const part = place.open ?? (await this.openPart(target, place));
      await part.writer.write(rows);
      part.rows += rows.rowCount;
      if (part.writer.bytes >= this.rotation.bytes || part.rows >= this.rotation.rows)
        await this.closePart(place, part);
    }
  }

  async prepare(epoch: Epoch): Promise<Token> {
    for (const place of this.openPlaces()) await this.closePart(place, place.open!);
    await this.makeFolder();
    const { split, generation, number, position, sealed } = epoch;
    const content: EpochFile = { split, generation, epoch: number, position, sealed, places: this.places() };
    const name = epochName(split, generation, number);
    const { storage } = this.folder;
    await this.folder.guarded(async () => {
      const file = await storage.create(`${this.path}/epoch.json`);
      await file.write(Buffer.from(JSON.stringify(content)));
      await file.finish();
      failpoint('file.prepare.before-stage');
      await storage.remove(this.folder.in('staged', name));
      await storage.rename(this.path, this.folder.in('staged', name));
    });
    failpoint('file.prepare.after-stage');
    this.forget();
    this.turn++;
    return { split: split.id, generation, number, name };
  }

  commit(token: Token): Promise<void> {
    return this.folder.commit(token);
  }

  async abort(): Promise<void> {
    const parts = this.openPlaces().map(({ open }) => open!);
    this.forget();
    for (const { file } of parts) await file.abort();
    await this.folder.storage.remove(this.path);
  }

  close(): Promise<void> {
    return this.abort();
  }

  /** The folder that this epoch's parts are written in. */
  private get path(): string {
    return this.folder.in(`open-${hash(this.lane.split.id)}`);
  }

  private forget(): void {
    for (const { places } of this.targets.values()) places.clear();
    this.partCount = 0;
    this.hasFolder = false;
  }

  private openPlaces(): Place[] {
    return [...this.targets.values()].flatMap(openIn);
  }

  /** Empties and makes the folder. */
  private async makeFolder(): Promise<void> {
    if (this.hasFolder) return;
    const { storage } = this.folder;
    await storage.remove(this.path);
    await this.folder.guarded(() => storage.makeFolderIn(this.path));
    this.hasFolder = true;
  }

  /** Begins a part; where too many are open, the one that was used least recently ends. */
  private async openPart(target: Target, place: Place): Promise<OpenPart> {
    const others = openIn(target);
    if (others.length >= target.mostOpen) await this.closePart(others[0]!, others[0]!.open!);
    await this.makeFolder();
    const { generation, split, job } = this.lane;
    const name = `part-${generation}-${hash(split.id)}-${job.fence}-${this.turn}-${this.partCount++}${this.format.ending}`;
    const file = await this.folder.guarded(() => this.folder.storage.create(`${this.path}/${name}`));
    try {
      const { partitions, memory } = target;
      const writer = this.format.open(partitions.fields, (bytes) => file.write(bytes), memory);
      place.open = { file, writer, rows: 0 };
      place.parts.push(name);
      return place.open;
    } catch (error) {
      await file.abort();
      throw error;
    }
  }

  private async closePart(place: Place, part: OpenPart): Promise<void> {
    await part.writer.finish();
    failpoint('file.part.before-sync');
    await this.folder.guarded(() => part.file.finish());
    delete place.open;
  }

  private places(): PartsPlace[] {
    return [...this.targets.values()].flatMap(({ table, places }) => {
      const detail = table.detail as unknown as TargetDetail;
      const at =
        table.publish === 'none'
          ? { target: detail.folder }
          : { generationOf: generationName(detail, this.lane.generation) };
      return [...places.values()].map(({ folder, parts }) => ({
        at,
        ...(folder !== '' && { below: folder }),
        parts,
      }));
    });
  }
}

function targetOf(table: TablePlan, { leastMemory }: PartFormat, share: number): Target {
  const { partitionBy = [] } = table.detail as unknown as TargetDetail;
  const fitting = partitionBy.length === 0 ? 1 : Math.floor(share / leastMemory);
  const mostOpen = Math.max(1, Math.min(MOST_OPEN, fitting));
  const partitions = new Partitions(table.schema, partitionBy);
  return { table, partitions, places: new Map(), mostOpen, memory: share / mostOpen };
}

/** The place of a folder, which becomes the one that was used last. */
function placeIn({ places }: Target, folder: string): Place {
  const place = places.get(folder) ?? { folder, parts: [] };
  places.delete(folder);
  places.set(folder, place);
  return place;
}

/** Places whose part is open, the least recently used first. */
function openIn({ places }: Target): Place[] {
  return [...places.values()].filter(({ open }) => open !== undefined);
}

/** The folder of a target's generation that is not published. */
export function generationName({ folder, file }: TargetDetail, generation: number): string {
  return `${hash(file ?? folder)}.${generation}`;
}
