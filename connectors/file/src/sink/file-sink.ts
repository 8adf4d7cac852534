/** Files as a sink: two-phase commit by renaming, whole folders or single files as targets. */
import { basename, dirname, resolve } from 'node:path';
import { LocalStorage, type Storage } from '@sluice/formats';
import {
  type Context,
  type DiagnosedTarget,
  type Finding,
  folderFindings,
  formatType,
  type LaneRequest,
  type PublishOptions,
  type RecoveredState,
  type Sink,
  type SinkCapabilities,
  type SinkJob,
  type SinkRecord,
  type SinkStream,
  sdkErrors,
  type TablePlan,
  type TargetSource,
  type Token,
  type TwoPhaseWriter,
} from '@sluice/sdk';
import type { FileConfig } from '../config.js';
import { cleanFiles } from './clean-files.js';
import { FileWriter, generationName, type Rotation } from './file-writer.js';
import { identityOf, JobFolder, ownerPath, readToken } from './job-folder.js';
import type { PartFormat } from './part-format.js';
import { MOST_NAME_BYTES, Partitions } from './partitions.js';
import { MARKER, markerOf, publishFile, publishFolder } from './publish-generation.js';
import { fileSinkErrors } from './sink-errors.js';
import type { FileSinkOptions } from './sink-options.js';
import type { TargetDetail } from './target-detail.js';
import { namesInTarget, partitionsOf } from './target-files.js';
import { TargetFiles } from './target-source.js';
import { placementOf } from './type-placement.js';

export interface FileSinkSettings {
  /** Folder of targets, or a single file where `isFile`; relative to the context's folder. */
  readonly path: string;
  readonly isFile: boolean;
  readonly format: PartFormat;
  readonly formatName: 'parquet' | 'csv' | 'jsonl';
  readonly rotation: Rotation;
  /** What the connection says, for reading what was written. */
  readonly config: FileConfig;
}

/** Parts that share the sink's memory: as many as lanes are likely to be open. */
const OPEN_PARTS = 6;

export class FileSink implements Sink {
  readonly capabilities: SinkCapabilities;

  constructor(private readonly settings: FileSinkSettings) {
    this.capabilities = {
      modes: settings.isFile ? { replace: 'two-phase' } : { append: 'two-phase', replace: 'two-phase' },
      transactions: 'partial',
      partialUpdates: false,
      move: false,
      guard: false,
      writers: 16,
      epoch: { ms: 60_000, bytes: 1 << 30 },
    };
  }

  async check(c: Context): Promise<void> {
    const storage = this.storage(c);
    await storage.makeFolder('.sluice');
    await identityOf(storage);
  }

  diagnose(_targets: readonly DiagnosedTarget[], c: Context): Promise<Finding[]> {
    return folderFindings(this.storage(c).name);
  }

  identity(c: Context): Promise<string> {
    return identityOf(this.storage(c));
  }

  async plan(streams: readonly SinkStream[], c: Context): Promise<TablePlan[]> {
    if (this.settings.isFile && streams.length > 1) {
      const names = streams.map(({ stream }) => stream).join(', ');
      throw fileSinkErrors.oneFileOneStream(
        `${this.settings.path} is one file, and these are its streams: ${names}`,
      );
    }
    return Promise.all(streams.map((stream) => this.planOne(stream, c)));
  }

  attach(job: SinkJob, c: Context): Promise<SinkRecord | undefined> {
    return JobFolder.attach(this.storage(c), job);
  }

  async adopt(job: SinkJob, record: Pick<SinkRecord, 'streams' | 'splits'>, c: Context): Promise<void> {
    await this.folder(job, c).adopt(record);
  }

  async recover(job: SinkJob, tokens: readonly Token[], c: Context): Promise<RecoveredState[]> {
    const folder = this.folder(job, c);
    return Promise.all(
      tokens.map(async (token): Promise<RecoveredState> => {
        const staged = readToken(token);
        if (staged === undefined) return 'lost';
        if (await folder.isCommitted(staged)) return 'committed';
        return (await folder.isStaged(staged.name)) ? 'committable' : 'lost';
      }),
    );
  }

  async commitPrepared(job: SinkJob, tokens: readonly Token[], c: Context): Promise<void> {
    const folder = this.folder(job, c);
    for (const token of tokens) await folder.commit(token);
  }

  async applySchema(job: SinkJob, table: TablePlan, generation: number, c: Context): Promise<void> {
    const folder = this.folder(job, c);
    const { storage } = folder;
    const detail = table.detail as unknown as TargetDetail;
    await this.claim(job, storage, detail);
    const current = generationName(detail, generation);
    const own = current.slice(0, current.lastIndexOf('.') + 1);
    for (const name of await storage.names(folder.in('generations'))) {
      if (name.startsWith(own) && name !== current) await storage.remove(folder.in('generations', name));
    }
    if (table.publish === 'none') await storage.makeFolder(detail.folder);
    else await folder.guarded(() => storage.makeFolderIn(folder.in('generations', current)));
  }

  async publish(
    job: SinkJob,
    table: TablePlan,
    generation: number,
    { allowEmpty }: PublishOptions,
    c: Context,
  ): Promise<void> {
    const folder = this.folder(job, c);
    const known = (await folder.streams()).streams[table.stream];
    if (known?.generation === generation && known.published) return;
    if (table.publish === 'none') await folder.markPublished(table.stream, generation);
    else if (this.settings.isFile)
      await publishFile(folder, table, generation, this.settings.format, allowEmpty);
    else await publishFolder(folder, job, table, generation, allowEmpty);
  }

  async open(lane: LaneRequest, c: Context): Promise<TwoPhaseWriter> {
    return new FileWriter(
      this.folder(lane.job, c),
      lane,
      this.settings.format,
      this.settings.rotation,
      c.memory / OPEN_PARTS,
    );
  }

  reads([table]: readonly TablePlan[]): TargetSource {
    const { config, formatName } = this.settings;
    return { source: new TargetFiles(config, formatName, table!), streams: [table!.stream] };
  }

  clean(job: string, certain: boolean, c: Context): Promise<string[]> {
    return cleanFiles(this.storage(c), job, certain);
  }

  private async planOne(request: SinkStream, c: Context): Promise<TablePlan> {
    const { stream, schema, write, save } = request;
    if (!(write in this.capabilities.modes)) {
      throw sdkErrors.notSupported(`files have no write mode ${write}`, { details: { stream } });
    }
    const detail = this.detailOf(request);
    const storage = this.storage(c);
    const shown = `${storage.name}/${detail.file ?? detail.folder}`;
    const exists = await storage.exists(detail.file ?? detail.folder);
    if (save === 'require' && !exists)
      throw fileSinkErrors.saveMode(`${shown} is not there, and save mode is require`);
    const foreign = exists && (await this.holdsForeignFiles(storage, detail));
    if (save === 'fail' && foreign)
      throw fileSinkErrors.saveMode(`${shown} is there already, and save mode is fail`);
    if (write === 'replace' && foreign && save !== 'recreate' && detail.file === undefined) {
      throw fileSinkErrors.foreignFiles(`${shown} holds files that no job wrote`, { details: { stream } });
    }
    const { partitionBy = [] } = detail;
    new Partitions(schema, partitionBy);
    if (write === 'append') await this.requireSamePartitions(storage, detail);
    const types = schema.fields.map((f) => {
      if (partitionBy.includes(f.name)) {
        return { column: f.name, from: formatType(f.type), to: 'folder', verdict: 'widening' as const };
      }
      const { to, verdict, note } = placementOf(f.type, this.settings.formatName);
      return { column: f.name, from: formatType(f.type), to, verdict, ...(note !== undefined && { note }) };
    });
    const folders = partitionBy.map((name) => `${name}=…/`).join('');
    const parts = `${shown}/${folders}part-….${this.settings.format.ending.slice(1)}`;
    return {
      stream,
      target: shown,
      write,
      protocol: 'two-phase',
      schema,
      publish: write === 'replace' ? 'directory' : 'none',
      exists,
      ddl: [`write ${detail.file === undefined ? parts : shown}`],
      types,
      detail: { ...detail },
    };
  }

  /** Whether a target folder has files that a `replace` would take away from somebody else. */
  private async holdsForeignFiles(storage: Storage, detail: TargetDetail): Promise<boolean> {
    if (detail.file !== undefined) return true;
    if ((await markerOf({ storage }, detail.folder)) !== undefined) return false;
    for await (const name of namesInTarget(storage, detail.folder)) {
      if (name !== MARKER && !/^part-\d+-[0-9a-f]{16}-\d+-\d+-\d+\./.test(name)) return true;
    }
    return false;
  }

  private async requireSamePartitions(storage: Storage, detail: TargetDetail): Promise<void> {
    const { folder, partitionBy = [] } = detail;
    const there = await partitionsOf(storage, folder);
    if (there === undefined || there.join('/') === partitionBy.join('/')) return;
    const say = (names: readonly string[]) => names.join(', ') || 'none';
    throw fileSinkErrors.partitionsDiffer(
      `${storage.name}/${folder} is partitioned by ${say(there)}, not by ${say(partitionBy)}`,
    );
  }

  /** Notes which job was the first to write a target; with save mode `fail` another one is refused. */
  private async claim(job: SinkJob, storage: Storage, { folder, file, save }: TargetDetail): Promise<void> {
    const path = ownerPath(file ?? folder);
    if ((await storage.stat(path)) === undefined) {
      await storage.put(path, Buffer.from(`${JSON.stringify({ job: job.id, target: file ?? folder })}\n`), {
        ifAbsent: true,
      });
    }
    const owner = JSON.parse(Buffer.from(await storage.readAt(path, 0, 65_536)).toString()) as {
      job: string;
    };
    if (save === 'fail' && owner.job !== job.id) {
      throw fileSinkErrors.saveMode(
        `${storage.name}/${file ?? folder} is job ${owner.job}’s already, and save mode is fail`,
      );
    }
  }

  private detailOf({ target, save, options }: SinkStream): TargetDetail {
    const { partitionBy } = options as FileSinkOptions;
    if (this.settings.isFile && partitionBy !== undefined) {
      throw fileSinkErrors.partitionColumn(`partitionBy: ${this.settings.path} is one file`);
    }
    if (this.settings.isFile) return { folder: '.', file: basename(this.settings.path), save };
    const folder = target.replaceAll('\\', '/');
    const names = folder.split('/');
    if (
      folder.startsWith('/') ||
      names.some((name) => name === '' || name === '.' || name === '..' || name === '.sluice')
    ) {
      throw fileSinkErrors.targetName(`"${target}" is no folder below ${this.settings.path}`);
    }
    const long = names.find((name) => Buffer.byteLength(name) > MOST_NAME_BYTES);
    if (long !== undefined) {
      throw fileSinkErrors.targetName(
        `"${long.slice(0, 100)}…" is no name of a folder: it has more than ${MOST_NAME_BYTES} bytes`,
      );
    }
    return { folder, save, ...(partitionBy !== undefined && { partitionBy }) };
  }

  private folder(job: SinkJob, c: Context): JobFolder {
    return JobFolder.of(this.storage(c), job);
  }

  protected storage(c: Context): Storage {
    const path = resolve(c.cwd, this.settings.path);
    return new LocalStorage(this.settings.isFile ? dirname(path) : path);
  }
}
