/// <reference lib="dom" />
import type { Event, EventBatch, Gap } from '../../client/index.ts';
import type { ExplorerUrls } from '../explorer-page.ts';
import { Announcer } from './announcer.ts';
import { copyText, saveText } from './clipboard.ts';
import { curlCommand } from './curl.ts';
import { DetailsPanel, type ShownEvent } from './details-panel.ts';
import { element, setText } from './element.ts';
import { type Entry, errorName, errorText, gapText } from './entry.ts';
import { eventMatcher } from './event-matcher.ts';
import { EventTable } from './event-table.ts';
import { Feed, type FeedListener } from './feed.ts';
import { FilterForm } from './filter-form.ts';
import { type FilterField, namedTopics, narrowedTo, type PageFilters, toggledTopic } from './filters.ts';
import { idOf, ObjectState } from './object-state.ts';
import { OperatorView } from './operator-view.ts';
import { PageHistory } from './page-history.ts';
import { RateChart } from './rate-chart.ts';
import { Rate } from './rate.ts';
import { Ring } from './ring.ts';
import { Rows } from './rows.ts';
import { StateTable } from './state-table.ts';
import { StatusLine } from './status-line.ts';
import { TopicList } from './topic-list.ts';
import { wireLines } from './wire-lines.ts';
import { yieldToPage } from './yield-to-page.ts';

/** Entries that are held to filter, to search, to compare with and to export. */
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
  readonly #details = new DetailsPanel({
    closed: () => this.#rows.deselect(),
    narrow: (field, event) => this.#narrowTo(field, event),
    copy: (text, what) => void this.#copy(text, what),
  });
  readonly #rows = new Rows({
    open: (event) => this.#details.show(this.#withBefore(event)),
    narrow: (field, event) => this.#narrowTo(field, event),
  });
  readonly #objects = new ObjectState(HELD_OBJECTS);
  readonly #eventTable = new EventTable(this.#entries, this.#rows);
  readonly #stateTable = new StateTable(this.#objects, this.#rows, {
    changed: (object) => this.#details.update(object),
    removed: () => this.#hideRemoved(),
  });
  readonly #history = new PageHistory((filters) => this.#travel(filters));
  readonly #form: FilterForm;
  readonly #topics: TopicList;
  readonly #operator: OperatorView | undefined;
  readonly #feed: Feed;
  readonly #index = element('index', HTMLElement);
  readonly #count = element('count', HTMLElement);
  readonly #countName = element('count-name', HTMLElement);
  readonly #notice = element('notice', HTMLElement);
  readonly #rateNow = element('rate', HTMLElement);
  #isState = false;
  #events = 0;
  /** What the stream that is read was asked for. */
  #asked = '';
  #lastTrouble = '';
  #lastPaintMs = 0;

  constructor({ streamUrl, operatorUrl, topicsUrl }: ExplorerUrls) {
    this.#feed = new Feed(streamUrl, this, yieldToPage);
    this.#form = new FilterForm(streamUrl);
    this.#topics = new TopicList(topicsUrl, (topic) => this.#apply(toggledTopic(this.#form.filters, topic)));
    if (operatorUrl !== undefined) {
      this.#operator = new OperatorView(operatorUrl, () => this.#form.token, this.#announcer);
      this.#form.offerOperator((isOperator) => this.#showOperator(isOperator));
    }
    this.#form.onApply(() => {
      // All is asked for anew, also what is asked for already.
      this.#asked = '';
      this.#topics.forget();
      this.#apply(this.#form.filters);
    });
    this.#form.onView(() => this.#apply(this.#form.filters));
    this.#form.onNarrow(() => this.#narrow());
    this.#listenToButtons();
  }

  #listenToButtons(): void {
    const actions = {
      pause: () => this.#pauseOrResume(),
      'copy-curl': () => void this.#copyCurl(),
      export: () => this.#export(),
    };
    for (const [id, act] of Object.entries(actions)) element(id, HTMLButtonElement).addEventListener('click', act);
  }

  run(): void {
    this.#travel(this.#history.filters);
    // What means nothing, or is no filter, does not stay in the URL.
    this.#history.replace(this.#form.filters);
    setInterval(() => this.#drawRate(), 1000);
    const frame = (nowMs: number): void => {
      this.#paint(nowMs);
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  onBatch(batch: EventBatch, isLive: boolean): void {
    const at = isLive ? new Date() : undefined;
    const { events } = batch;
    if (this.#isState) this.#takeState(batch, at);
    else for (const event of events) this.#entries.push({ kind: 'event', at, event });
    this.#events += events.length;
    for (const { topic } of events) this.#topics.saw(topic);
    if (isLive) this.#rate.add(events.length, performance.now());
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

  #takeState(batch: EventBatch, at: Date | undefined): void {
    this.#objects.take(batch, at);
    if (batch.current) this.#showStatus();
  }

  #showStatus(): void {
    const progress = this.#isState ? this.#objects.progress : undefined;
    this.#status.show(this.#feed.state, { reason: this.#lastTrouble, progress });
  }

  /** Whoever was in the panel goes on in the table. */
  #hideDetails(): void {
    if (this.#details.hasFocus) this.#rows.takeFocus();
    this.#details.hide();
  }

  /** The object whose payload is open is gone, and so is its row. */
  #hideRemoved(): void {
    const hadFocus = this.#details.hasFocus;
    this.#details.hide();
    if (hadFocus) this.#rows.deselect();
  }

  /** The reader has chosen these filters: a step that can be taken back. */
  #apply(filters: PageFilters): void {
    this.#history.push(filters);
    this.#travel(filters);
  }

  /** Shows what the filters say. The stream goes on where it is asked for nothing else. */
  #travel(filters: PageFilters): void {
    this.#form.show(filters);
    const { token, target } = this.#form;
    this.#topics.show(namedTopics(filters), token);
    this.#operator?.show(filters.isOperator);
    this.#accept(filters);
    const asked = JSON.stringify([target, token]);
    if (asked !== this.#asked) this.#start(filters, token);
    this.#asked = asked;
  }

  /** It stands in front of the stream, which goes on. */
  #showOperator(isOperator: boolean): void {
    this.#history.push({ ...this.#history.filters, isOperator });
    this.#operator?.show(isOperator);
  }

  #start(filters: PageFilters, token: string): void {
    this.#isState = filters.isState;
    this.#entries.clear();
    this.#objects.clear();
    this.#events = 0;
    this.#hideDetails();
    this.#showNotice('');
    this.#eventTable.clear();
    this.#stateTable.clear();
    this.#name(labels[this.#isState ? 'state' : 'events']);
    this.#feed.start({ ...filters, token });
  }

  #name({ table, count }: { readonly table: string; readonly count: string }): void {
    for (const id of ['scroller', 'table']) element(id, HTMLElement).setAttribute('aria-label', table);
    setText(this.#countName, count);
  }

  /** The reader types what to show of what came. */
  #narrow(): void {
    this.#history.replace(this.#form.filters);
    this.#accept(this.#form.filters);
    this.#table.paint();
    const { count } = this.#rows;
    this.#announcer.say(count === 1 ? '1 row' : `${count.toLocaleString()} rows`);
  }

  #accept(filters: PageFilters): void {
    const matches = eventMatcher(filters);
    this.#hideDetails();
    this.#eventTable.accept(matches);
    this.#stateTable.accept(matches);
  }

  #narrowTo(field: FilterField, event: Event): void {
    this.#apply(narrowedTo(this.#form.filters, field, event));
  }

  /** With the event before of the same key, as far as it is held. */
  #withBefore(event: Event): ShownEvent {
    if (this.#isState) return { event, before: this.#objects.get(event)?.before };
    const id = idOf(event);
    let isPassed = false;
    for (const entry of this.#entries.newestFirst()) {
      if (entry.kind !== 'event') continue;
      if (isPassed && idOf(entry.event) === id) return { event, before: entry.event };
      isPassed ||= entry.event === event;
    }
    return { event, before: undefined };
  }

  #copyCurl(): Promise<void> {
    const { target, token } = this.#form;
    return this.#copy(curlCommand(new URL(target, location.href).href, token !== ''), 'The command');
  }

  async #copy(text: string, what: string): Promise<void> {
    const isCopied = await copyText(text);
    this.#announcer.say(isCopied ? `${what} was copied.` : `${what} could not be copied.`);
  }

  #export(): void {
    const name = `events-${this.#feed.index ?? 0}.ndjson`;
    saveText(wireLines(this.#table.passing), name, 'application/x-ndjson');
    this.#announcer.say(`${name} was saved.`);
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
