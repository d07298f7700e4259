// The PII filter as a module.
#include "filters/pii/filter.h"

GRETE_FILTER(grete::filters::pii::PiiFilter)
