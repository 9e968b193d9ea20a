// What the page looks like where that says something: times, the chart, colours, a narrow screen.
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { topicMark } from '../../src/explorer/page/topic-mark.ts';
import { browserForAll, executable } from './browser-for-all.ts';
import { column, columnHas, live, rows, rowWith } from './page-parts.ts';

const { serve, open } = browserForAll();
const times = (page: Page) => column(page, 'time');
const clockTime = expect.stringMatching(/^\d\d:\d\d:\d\d\.\d{3}$/) as string;

describe.skipIf(!executable)('the explorer tells what happens now from what was', () => {
  it('by the time of receipt, which an event of the backlog does not have', async () => {
    const server = await serve();
    await server.publish('before');
    const page = await open(server);
    await rowWith(page, 'before').waitFor();
    await server.publish('now');
    await rowWith(page, 'now').waitFor();
    expect(await times(page)).toEqual([clockTime, '']);
    const heading = page.getByRole('columnheader', { name: 'Received' });
    expect(await heading.getAttribute('title')).toContain('Blank for events of the backlog');

    await page.getByRole('button', { name: 'Pause' }).click();
    await server.idle();
    await server.publish('missed');
    await page.getByRole('button', { name: 'Resume' }).click();
    await rowWith(page, 'missed').waitFor();
    await server.publish('then');
    await rowWith(page, 'then').waitFor();
    expect(await times(page)).toEqual([clockTime, '', clockTime, '']);
  });

  it('in a state too', async () => {
    const server = await serve();
    for (const id of ['a', 'b']) await server.publish(id);
    const page = await open(server, { fragment: '#state=true' });
    await page.getByText('Live: current').first().waitFor();
    await rows(page).nth(1).waitFor();
    const index = await server.publish('b');
    await rowWith(page, String(index)).waitFor();
    expect(await times(page)).toEqual(['', clockTime]);
  });

  it('in the chart, which counts live events alone', async () => {
    const server = await serve();
    for (let i = 0; i < 50; i++) await server.publish('before');
    const page = await open(server);
    await rows(page).nth(49).waitFor();
    for (let i = 0; i < 3; i++) await server.publish('now');
    await rowWith(page, 'now').nth(2).waitFor();
    const peak = page.locator('#peak', { hasText: /peak [1-9]/ });
    await peak.waitFor();
    // They may have come on both sides of a second.
    expect(['peak 1', 'peak 2', 'peak 3']).toContain(await peak.textContent());
    await page.getByRole('img', { name: /^Live events per second, last 2 minutes: now \d+, peak [123]$/ }).waitFor();
  });

  it('and outlives a server that does not say where it is', async () => {
    const server = await serve();
    await server.publish('before');
    const page = await open(server, { fragment: '#index=latest' });
    await live(page);
    await page.route(/index=latest/, (route) => route.abort());
    await page.goto(`${server.url}/#index=0`);
    await page.reload();
    await rowWith(page, 'before').waitFor();
    expect(await times(page)).toEqual([clockTime]);
  });
});

/** The contrast of two colours of the page by WCAG 2.2, as the browser paints them. */
const contrastScript = `(() => {
  const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const luminance = (color) => {
    context.fillStyle = color;
    context.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...context.getImageData(0, 0, 1, 1).data].slice(0, 3)
      .map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  window.contrast = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  const style = getComputedStyle(document.documentElement);
  window.variable = (name) => style.getPropertyValue(name);
  window.markOf = (className) => {
    const mark = document.body.appendChild(document.createElement('span'));
    mark.className = 'topic ' + className;
    const color = getComputedStyle(mark, '::before').backgroundColor;
    mark.remove();
    return color;
  };
})()`;

describe.skipIf(!executable)('the colours of the explorer', () => {
  it.each(['light', 'dark'] as const)('stand out from every background of a row: %s', async (colorScheme) => {
    const page = await open(await serve(), { colorScheme });
    await page.evaluate(contrastScript);
    const backgrounds = ['--panel', '--hover', '--open'];
    const seen = new Set<string>();
    for (let hue = 0; hue < 12; hue++) {
      const color = await page.evaluate<string>(`markOf('hue-${hue}')`);
      seen.add(color);
      for (const background of backgrounds) {
        const contrast = await page.evaluate<number>(`contrast('${color}', variable('${background}'))`);
        // 3:1 for what is no text.
        expect({ hue, background, contrast, isEnough: contrast >= 3 }).toMatchObject({ isEnough: true });
      }
    }
    expect(seen.size).toBe(12);
    for (const [text, background] of [
      ['--text', '--panel'],
      ['--quiet', '--panel'],
      ['--quiet', '--page'],
      ['--text', '--open'],
      ['--quiet', '--open'],
      ['--on-accent', '--accent'],
    ]) {
      const contrast = await page.evaluate<number>(`contrast(variable('${text}'), variable('${background}'))`);
      expect({ text, background, contrast, isEnough: contrast >= 4.5 }).toMatchObject({ isEnough: true });
    }
  });

  it('are those of the topics’ names, in the table and in the list', async () => {
    const server = await serve();
    await server.publishNode('n1');
    await server.publish('web');
    const page = await open(server);
    await rows(page).nth(1).waitFor();
    for (const topic of ['Job', 'Node']) {
      const cell = page.locator('#rows td.topic', { hasText: new RegExp(`^${topic}$`) });
      const button = page
        .getByRole('group', { name: 'Known topics' })
        .getByRole('button', { name: topic, exact: true });
      for (const place of [cell, button]) expect(await place.getAttribute('class')).toBe(`topic ${topicMark(topic)}`);
    }
  });
});

describe.skipIf(!executable)('the explorer on a phone of 360 pixels', () => {
  it('has the whole of each row in sight, the key first of all, and does not scroll sideways', async () => {
    const server = await serve();
    const id = 'a-very-long-key-of-an-order-that-nobody-would-write-7f3a9c2e-5b1d';
    await server.publish(id, 'a-namespace');
    await server.publish('web');
    const page = await open(server, { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
    const row = rowWith(page, id);
    await row.waitFor();
    for (const name of ['topic', 'type', 'key', 'namespace', 'index']) {
      const box = await row.locator(`td.${name}`).boundingBox();
      expect(box?.width).toBeGreaterThan(0);
      expect({ name, left: (box?.x ?? -1) >= 0, right: (box?.x ?? 0) + (box?.width ?? 0) <= 360 }).toEqual({
        name,
        left: true,
        right: true,
      });
    }
    const isCut = await row.locator('td.key').evaluate((cell) => {
      const { scrollWidth, clientWidth } = cell as unknown as Record<'scrollWidth' | 'clientWidth', number>;
      return scrollWidth > clientWidth;
    });
    expect(isCut).toBe(false);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
    expect(await page.evaluate('document.querySelector("#scroller").scrollWidth')).toBe(360);
    await page.getByRole('row', { name: /web/ }).waitFor();

    await rowWith(page, 'web').locator('td.key').tap();
    await page.locator('#payload', { hasText: '"web"' }).waitFor();
    // What a cell does for a mouse, the panel does for a finger.
    await page.locator('#facts').getByRole('button', { name: 'Show only this key' }).tap();
    await rowWith(page, id).waitFor({ state: 'detached' });
    await columnHas(page, 'key', ['web']);
  });
});
