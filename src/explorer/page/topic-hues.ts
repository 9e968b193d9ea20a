/**
 * Colours for the first topics that are seen, one each; later ones share none, so that a colour never means two topics.
 */
export class TopicHues {
  readonly #hues: number;
  readonly #classOf = new Map<string, string>();

  constructor(hues: number) {
    this.#hues = hues;
  }

  /** A class of the style sheet; '' when all colours are taken. */
  classOf(topic: string): string {
    const known = this.#classOf.get(topic);
    if (known !== undefined || this.#classOf.size === this.#hues) return known ?? '';
    const name = `hue-${this.#classOf.size}`;
    this.#classOf.set(topic, name);
    return name;
  }
}
