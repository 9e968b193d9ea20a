/// <reference lib="dom" />
import { element } from './element.ts';
import { Explorer, type ExplorerUrls } from './explorer.ts';

const settings = JSON.parse(element('settings', HTMLScriptElement).text) as ExplorerUrls;
new Explorer(settings).run();
