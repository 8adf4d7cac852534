/** A checked job before it runs. */
import type { FlowPlan } from './flow-plan.js';

export interface JobPlan {
  readonly name: string;
  /** Folder that relative paths start from. */
  readonly cwd: string;
  readonly flows: readonly FlowPlan[];
  /** Bytes that each connector may hold beside the batches in flight. */
  readonly connectorMemory: number;
}
