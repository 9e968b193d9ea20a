export interface Step {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface StepResult {
  readonly name: string;
  readonly code: number;
  readonly output: string;
  readonly seconds: number;
}

export class RunningStep {
  constructor(step: Step, onFailureLine: (line: string) => void);
  readonly name: string;
  readonly output: string;
  readonly ended: Promise<StepResult>;
  kill(): void;
}
