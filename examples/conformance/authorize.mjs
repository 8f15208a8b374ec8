// For suites that send no Authorization header of their own:
//     node --import ./authorize.mjs node_modules/.bin/mocha tests/
// Adds the token in TOKEN to each request that asks https://localhost:8460 to issue.
const {fetch: plain} = globalThis;

globalThis.fetch = (resource, options = {}) => {
  const url = String(resource.url ?? resource);
  if(!/^https:\/\/localhost:8460\/.*credentials\/issue$/.test(url)) {
    return plain(resource, options);
  }
  const headers = new Headers(options.headers ?? resource.headers);
  headers.set('Authorization', `Bearer ${process.env.TOKEN}`);
  return plain(resource, {...options, headers});
};
