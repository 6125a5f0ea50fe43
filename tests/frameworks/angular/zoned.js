// The same application in a zone.

import "zone.js";
import "./main.js";
