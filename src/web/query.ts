import type Application from 'koa';

/**
 * Koa 3 reads a query in which names repeat in quadratic time: fifteen kilobytes of `a&a&…` would
 * hold the thread for two seconds (security-catalogue: slow patterns). This reads it once, with the
 * same outcome: a text for a name given once, a list for one given several times.
 */
export function readQueriesInLinearTime(app: Application): void {
  Object.defineProperty(app.request, 'query', {
    configurable: true,
    get(this: Application.Request & { readInLinearTime?: Read }): Query {
      const text = this.querystring;
      if (this.readInLinearTime?.text !== text) this.readInLinearTime = { text, query: parse(text) };
      return this.readInLinearTime.query;
    },
  });
}

type Query = Record<string, string | string[]>;
interface Read {
  readonly text: string;
  readonly query: Query;
}

function parse(text: string): Query {
  const query: Query = Object.create(null);
  for (const [name, value] of new URLSearchParams(text)) {
    const earlier = query[name];
    if (earlier === undefined) query[name] = value;
    else if (Array.isArray(earlier)) earlier.push(value);
    else query[name] = [earlier, value];
  }
  return query;
}
