// React 18, in a browser.

import { react18, testOf } from "../frameworks/bundle.mjs";
import { reactTests } from "../frameworks/react.mjs";
import { renderReact } from "../frameworks/server.mjs";
import { test as base } from "../support/fixtures.mjs";

const test = testOf(base, "react.jsx", react18);

reactTests(test, "18", (path) => renderReact(path, react18()));
