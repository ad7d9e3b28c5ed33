// The words of the page, before all else is there: so that it is read at once.

import { fillInWords } from "./dom.js";

fillInWords();
