/// <reference lib="dom" />
import type { EventBatch, Gap } from '../../client/index.ts';
import { Announcer } from './announcer.ts';
import { DetailsPanel } from './details-panel.ts';
import { element, setText } from './element.ts';
import { type Entry, errorName, errorText, gapText } from './entry.ts';
import { EventTable } from './event-table.ts';
import { Feed, type FeedListener, type FeedRequest, type FeedState } from './feed.ts';
import { FilterForm } from './filter-form.ts';
import { typeMatcher } from './filters.ts';
import { RateChart } from './rate-chart.ts';
import { Rate } from './rate.ts';
import { Ring } from './ring.ts';
import { StatusLine } from './status-line.ts';
import { yieldToPage } from './yield-to-page.ts';

/** Entries that are held for the type filter to choose from. */
const HELD_ENTRIES = 5000;
const CHART_SECONDS = 120;
/** Nobody reads faster than the table is painted with this between. */
const PAINT_INTERVAL_MS = 80;

/** Joins the parts: what the feed reads goes into a ring, what the ring holds is painted once per frame at most. */
export class Explorer implements FeedListener {
  readonly #entries = new Ring<Entry>(HELD_ENTRIES);
  readonly #rate = new Rate(CHART_SECONDS);
  readonly #announcer = new Announcer(element('announcement', HTMLElement));
  readonly #status = new StatusLine(this.#announcer);
  readonly #chart = new RateChart(element('chart', SVGSVGElement), element('peak', HTMLElement));
  readonly #details = new DetailsPanel(() => this.#table.deselect());
  readonly #table = new EventTable(this.#entries, (entry) => entry.kind === 'event' && this.#details.show(entry.event));
  readonly #form: FilterForm;
  readonly #feed: Feed;
  readonly #index = element('index', HTMLElement);
  readonly #count = element('count', HTMLElement);
  readonly #rateNow = element('rate', HTMLElement);
  #events = 0;
  #lastTrouble = '';
  #lastPaintMs = 0;

  constructor(streamUrl: string) {
    this.#feed = new Feed(streamUrl, this, yieldToPage);
    this.#form = new FilterForm(streamUrl);
    this.#form.onApply((request) => this.#start(request));
    this.#form.onTypes((text) => this.#showTypes(text));
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

  onBatch({ events }: EventBatch): void {
    const at = new Date();
    for (const event of events) this.#entries.push({ kind: 'event', at, event });
    this.#events += events.length;
    this.#rate.add(events.length, performance.now());
  }

  onGap(gap: Gap): void {
    this.#entries.push({ kind: 'gap', at: new Date(), gap });
    this.#announcer.say(`Gap: ${gapText(gap)}`);
  }

  onTrouble(error: unknown): void {
    this.#lastTrouble = errorName(error);
    this.#entries.push({ kind: 'notice', at: new Date(), tone: 'bad', text: errorText(error) });
  }

  onRecovery(): void {
    this.#entries.push({ kind: 'notice', at: new Date(), tone: 'good', text: 'Connected again.' });
  }

  onState(state: FeedState): void {
    this.#status.show(state, this.#lastTrouble);
  }

  #start(request: FeedRequest): void {
    this.#entries.clear();
    this.#events = 0;
    this.#details.hide();
    this.#table.clear();
    this.#feed.start(request);
  }

  #showTypes(text: string): void {
    const matches = typeMatcher(text);
    this.#details.hide();
    // Gaps and troubles are shown whatever is filtered.
    this.#table.filter((entry) => entry.kind !== 'event' || matches(entry.event.type));
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
    setText(this.#count, this.#events.toLocaleString());
  }

  #drawRate(): void {
    const perSecond = this.#rate.perSecond(performance.now());
    this.#chart.draw(perSecond);
    setText(this.#rateNow, (perSecond.at(-1) ?? 0).toLocaleString());
  }
}
