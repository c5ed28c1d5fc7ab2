package ringcentral

import "reflect"

// Row is the type of a decoded row.
var Row = reflect.TypeFor[row]()
