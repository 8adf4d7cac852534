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
import type { TargetDetail } from './target-detail.js';

export interface Rotation {
  readonly bytes: number;
  readonly rows: number;
}

interface OpenPart {
  readonly file: StoredWriter;
  readonly writer: PartWriter;
  rows: number;
}

export class FileWriter implements TwoPhaseWriter {
  readonly protocol = 'two-phase';
  /** The part that is being written, by stream. */
  private readonly open = new Map<string, OpenPart>();
  /** Names of this epoch's parts, by stream. */
  private readonly parts = new Map<string, string[]>();
  private hasFolder = false;
  private partCount = 0;
  /** Epochs of this writer; part of the names of its files, which must not meet those of another epoch. */
  private turn = 0;

  constructor(
    private readonly folder: JobFolder,
    private readonly lane: LaneRequest,
    private readonly format: PartFormat,
    private readonly rotation: Rotation,
    /** Bytes that an open part may hold back. */
    private readonly memory: number,
  ) {}

  async write(message: Batch | Clear): Promise<void> {
    if (message.kind === 'clear') throw sdkErrors.notSupported('files cannot clear a stream');
    const { stream } = message;
    const part = this.open.get(stream) ?? (await this.openPart(stream));
    await part.writer.write(message);
    part.rows += message.rowCount;
    if (part.writer.bytes >= this.rotation.bytes || part.rows >= this.rotation.rows)
      await this.closePart(stream, part);
  }

  async prepare(epoch: Epoch): Promise<Token> {
    for (const [stream, part] of this.open) await this.closePart(stream, part);
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
    const parts = [...this.open.values()];
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
    this.open.clear();
    this.parts.clear();
    this.partCount = 0;
    this.hasFolder = false;
  }

  private tableOf(stream: string): TablePlan {
    return this.lane.tables.find((table) => table.stream === stream)!;
  }

  /** Empties and makes the folder. */
  private async makeFolder(): Promise<void> {
    if (this.hasFolder) return;
    const { storage } = this.folder;
    await storage.remove(this.path);
    await this.folder.guarded(() => storage.makeFolderIn(this.path));
    this.hasFolder = true;
  }

  private async openPart(stream: string): Promise<OpenPart> {
    await this.makeFolder();
    const { generation, split, job } = this.lane;
    const name = `part-${generation}-${hash(split.id)}-${job.fence}-${this.turn}-${this.partCount++}${this.format.ending}`;
    const file = await this.folder.guarded(() => this.folder.storage.create(`${this.path}/${name}`));
    try {
      const { fields } = this.tableOf(stream).schema;
      const writer = this.format.open(
        fields,
        (bytes) => file.write(bytes),
        this.memory / this.lane.tables.length,
      );
      const part = { file, writer, rows: 0 };
      this.open.set(stream, part);
      this.parts.set(stream, [...(this.parts.get(stream) ?? []), name]);
      return part;
    } catch (error) {
      await file.abort();
      throw error;
    }
  }

  private async closePart(stream: string, part: OpenPart): Promise<void> {
    await part.writer.finish();
    failpoint('file.part.before-sync');
    await this.folder.guarded(() => part.file.finish());
    this.open.delete(stream);
  }

  private places(): PartsPlace[] {
    return [...this.parts].map(([stream, parts]) => {
      const { detail, publish } = this.tableOf(stream);
      const target = detail as unknown as TargetDetail;
      if (publish === 'none') return { at: { target: target.folder }, parts };
      return { at: { generationOf: generationName(target, this.lane.generation) }, parts };
    });
  }
}

/** The folder of a target's generation that is not published. */
export function generationName({ folder, file }: TargetDetail, generation: number): string {
  return `${hash(file ?? folder)}.${generation}`;
}
