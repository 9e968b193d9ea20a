const HUES = 12;
const SHAPES = 3;
/** Where the hash begins: tried out, so that no two of Nomad's topics look the same. */
const SEED = 12_309;

/**
 * The colour and the shape of a topic's mark, as classes of the style sheet. They come from its name alone, so that a
 * topic looks the same in every tab, whatever came first. Two topics may share one: what a row is of, its text says.
 */
export function topicMark(topic: string): string {
  const hash = hashOf(topic);
  return `hue-${hash % HUES} shape-${Math.floor(hash / HUES) % SHAPES}`;
}

/** FNV-1a with a last mix, without which names that differ in their last letter have neighbouring colours. */
function hashOf(text: string): number {
  let hash = SEED;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}
