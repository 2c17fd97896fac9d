// Counts its visitors, and tells each the count, a number that was drawn at the
// start, and what it has sent, in upper case. By CGI if it is called so; else as an
// HTTP server on the listener that is descriptor 3.
package main

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cgi"
	"os"
	"sync/atomic"
)

const listener = 3

var visits atomic.Uint32

func main() {
	drawn := make([]byte, 8)
	rand.Read(drawn)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		must(err)
		fmt.Fprintf(w, "%d %x\n", visits.Add(1), drawn)
		w.Write(bytes.ToUpper(body))
	})
	if os.Getenv("GATEWAY_INTERFACE") != "" {
		must(cgi.Serve(handler))
		return
	}
	l, err := net.FileListener(os.NewFile(listener, "listener"))
	must(err)
	must(http.Serve(l, handler))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
