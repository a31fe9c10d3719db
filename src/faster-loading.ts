// What a start spends most of its time on is the loading of modules. Nothing depends on this file: without it all is the
// same and takes longer. It comes before the modules that it is about.
import { enableCompileCache, registerHooks } from 'node:module';
import { extname, join } from 'node:path';

// What was compiled is kept beside the packages, where only we write.
enableCompileCache(join(import.meta.dirname, '..', 'node_modules', '.cache', 'sallyport'));

const own = new URL('./', import.meta.url).href;
const ending = extname(import.meta.filename);
const format = ending === '.ts' ? 'module-typescript' : 'module';

// Our imports of each other name their file, so there is nothing to search for; Node would look around for each of them.
registerHooks({
  resolve(specifier, context, next) {
    const isOwn = specifier.startsWith('.') && specifier.endsWith(ending) && context.parentURL?.startsWith(own);
    if (!isOwn) return next(specifier, context);
    return { url: new URL(specifier, context.parentURL).href, format, shortCircuit: true };
  },
});
