/// <reference lib="dom" />
import type { ExplorerUrls } from '../explorer-page.ts';
import { element } from './element.ts';
import { Explorer } from './explorer.ts';

const settings = JSON.parse(element('settings', HTMLScriptElement).text) as ExplorerUrls;
new Explorer(settings).run();
