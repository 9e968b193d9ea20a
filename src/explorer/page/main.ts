/// <reference lib="dom" />
import { element } from './element.ts';
import { Explorer } from './explorer.ts';

const settings = JSON.parse(element('settings', HTMLScriptElement).text) as { readonly streamUrl: string };
new Explorer(settings.streamUrl).run();
