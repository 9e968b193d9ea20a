/// <reference lib="dom" />
import type { EventBatch, Gap } from '../../client/index.ts';
import { Announcer } from './announcer.ts';
import { DetailsPanel } from './details-panel.ts';
import { element, setText } from './element.ts';
import { type Entry, errorName, errorText, gapText } from './entry.ts';
import { EventTable } from './event-table.ts';
import { Feed, type FeedListener, type FeedRequest } from './feed.ts';
import { FilterForm } from './filter-form.ts';
import { typeMatcher } from './filters.ts';
import { RateChart } from './rate-chart.ts';
import { Rate } from './rate.ts';
import { ObjectState } from './object-state.ts';
import { OperatorView } from './operator-view.ts';
import { Ring } from './ring.ts';
import { Rows } from './rows.ts';
import { StateTable } from './state-table.ts';
import { StatusLine } from './status-line.ts';
import { yieldToPage } from './yield-to-page.ts';

/** Entries that are held for the type filter to choose from. */
const HELD_ENTRIES = 5000;
/** Objects of a state that are held: as many as a server retains by default would be too much for a page. */
const HELD_OBJECTS = 10_000;
const CHART_SECONDS = 120;
/** Nobody reads faster than the table is painted with this between. */
const PAINT_INTERVAL_MS = 80;

/** The two views: what happens, and what is there. */
const labels = {
  events: { table: 'Events, the newest first', count: 'Events' },
  state: { table: 'State: the newest event of each object', count: 'Objects' },
} as const;

/** What the page talks to, on its own origin. */
export interface ExplorerUrls {
  readonly streamUrl: string;
  /** Undefined where there is no operator's view. */
  readonly operatorUrl?: string;
}

/**
 * Joins the parts: what the feed reads goes into a ring of events or into the state, and what that holds is painted
 * once per frame at most.
 */
export class Explorer implements FeedListener {
  readonly #entries = new Ring<Entry>(HELD_ENTRIES);
  readonly #rate = new Rate(CHART_SECONDS);
  readonly #announcer = new Announcer(element('announcement', HTMLElement));
  readonly #status = new StatusLine(this.#announcer);
  readonly #chart = new RateChart(element('chart', SVGSVGElement), element('peak', HTMLElement));
  readonly #details = new DetailsPanel(() => this.#rows.deselect());
  readonly #rows = new Rows((entry) => entry.kind === 'event' && this.#details.show(entry.event));
  readonly #objects = new ObjectState(HELD_OBJECTS);
  readonly #eventTable = new EventTable(this.#entries, this.#rows);
  readonly #stateTable = new StateTable(this.#objects, this.#rows, {
    changed: (event) => this.#details.update(event),
    removed: () => this.#hideRemoved(),
  });
  readonly #form: FilterForm;
  readonly #feed: Feed;
  readonly #index = element('index', HTMLElement);
  readonly #count = element('count', HTMLElement);
  readonly #countName = element('count-name', HTMLElement);
  readonly #notice = element('notice', HTMLElement);
  readonly #rateNow = element('rate', HTMLElement);
  #isState = false;
  #events = 0;
  #lastTrouble = '';
  #lastPaintMs = 0;

  constructor({ streamUrl, operatorUrl }: ExplorerUrls) {
    this.#feed = new Feed(streamUrl, this, yieldToPage);
    this.#form = new FilterForm(streamUrl);
    this.#form.onApply((request) => this.#start(request));
    this.#form.onView((request) => this.#start(request));
    this.#form.onTypes((text) => this.#showTypes(text));
    if (operatorUrl !== undefined) this.#offerOperator(operatorUrl);
    element('pause', HTMLButtonElement).addEventListener('click', () => this.#pauseOrResume());
  }

  run(): void {
    this.#start(this.#form.read());
    setInterval(() => this.#drawRate(), 1000);
    const frame = (nowMs: number): void => {
      this.#paint(nowMs);
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  onBatch(batch: EventBatch): void {
    const at = new Date();
    const { events } = batch;
    if (this.#isState) this.#takeState(batch, at);
    else for (const event of events) this.#entries.push({ kind: 'event', at, event });
    this.#events += events.length;
    this.#rate.add(events.length, performance.now());
  }

  onGap(gap: Gap): void {
    this.#tell({ kind: 'gap', at: new Date(), gap }, `Gap: ${gapText(gap)}`);
    this.#announcer.say(`Gap: ${gapText(gap)}`);
    if (!this.#isState) return;
    this.#objects.gap(gap);
    this.#showStatus();
  }

  onTrouble(error: unknown): void {
    this.#lastTrouble = errorName(error);
    this.#tell({ kind: 'notice', at: new Date(), tone: 'bad', text: errorText(error) }, errorText(error));
  }

  onRecovery(): void {
    this.#tell({ kind: 'notice', at: new Date(), tone: 'good', text: 'Connected again.' }, '');
  }

  onState(): void {
    this.#showStatus();
  }

  /** What is no event has a row among the events; a state has a line above it. */
  #tell(entry: Entry, text: string): void {
    if (!this.#isState) this.#entries.push(entry);
    else this.#showNotice(text);
  }

  #showNotice(text: string): void {
    setText(this.#notice, text);
    this.#notice.hidden = text === '';
  }

  #takeState(batch: EventBatch, at: Date): void {
    this.#objects.take(batch, at);
    if (batch.current) this.#showStatus();
  }

  #showStatus(): void {
    const progress = this.#isState ? this.#objects.progress : undefined;
    this.#status.show(this.#feed.state, { reason: this.#lastTrouble, progress });
  }

  /** The object whose payload is open is gone, and so is its row. */
  #hideRemoved(): void {
    const hadFocus = this.#details.hasFocus;
    this.#details.hide();
    if (hadFocus) this.#rows.deselect();
  }

  #start(request: FeedRequest): void {
    this.#isState = request.isState;
    this.#entries.clear();
    this.#objects.clear();
    this.#events = 0;
    this.#details.hide();
    this.#showNotice('');
    this.#eventTable.clear();
    this.#stateTable.clear();
    this.#name(labels[this.#isState ? 'state' : 'events']);
    this.#feed.start(request);
  }

  #name({ table, count }: { readonly table: string; readonly count: string }): void {
    for (const id of ['scroller', 'table']) element(id, HTMLElement).setAttribute('aria-label', table);
    setText(this.#countName, count);
  }

  #showTypes(text: string): void {
    const matches = typeMatcher(text);
    this.#details.hide();
    // Gaps and troubles are shown whatever is filtered.
    this.#eventTable.accept((entry) => entry.kind !== 'event' || matches(entry.event.type));
    this.#stateTable.accept(matches);
    this.#table.paint();
  }

  #offerOperator(url: string): void {
    new OperatorView(url, () => this.#form.token, this.#announcer).offer();
  }

  get #table(): EventTable | StateTable {
    return this.#isState ? this.#stateTable : this.#eventTable;
  }

  #pauseOrResume(): void {
    if (this.#feed.state === 'paused') void this.#feed.resume();
    else this.#feed.pause();
  }

  #paint(nowMs: number): void {
    if (nowMs - this.#lastPaintMs < PAINT_INTERVAL_MS) return;
    this.#lastPaintMs = nowMs;
    this.#table.paint();
    setText(this.#index, this.#feed.index?.toString() ?? '–');
    setText(this.#count, (this.#isState ? this.#objects.size : this.#events).toLocaleString());
  }

  #drawRate(): void {
    const perSecond = this.#rate.perSecond(performance.now());
    this.#chart.draw(perSecond);
    setText(this.#rateNow, (perSecond.at(-1) ?? 0).toLocaleString());
  }
}
