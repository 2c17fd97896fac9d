// An HTTP server on the listener that is descriptor 3, after checks of what the
// Go runtime asks of a system. It serves until somebody asks for /stop.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const listener = 3

func main() {
	if len(os.Args) > 1 {
		files(os.Args[1])
		return
	}
	l, err := net.FileListener(os.NewFile(listener, "listener"))
	must(err)
	server := &http.Server{}
	var once sync.Once
	stopped := make(chan struct{})
	http.HandleFunc("/hello", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "hello, %s\n", r.URL.Query().Get("name"))
	})
	http.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(w, r.Body)
		must(err)
	})
	http.HandleFunc("/stop", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "stopping")
		once.Do(func() {
			go func() {
				must(server.Shutdown(context.Background()))
				close(stopped)
			}()
		})
	})
	if err := server.Serve(l); err != http.ErrServerClosed {
		must(err)
	}
	<-stopped
	fmt.Println("stopped")
}

// files works in a folder, while a timer of another goroutine ticks.
func files(folder string) {
	ticks := make(chan int)
	go func() {
		for i := 0; i < 5; i++ {
			time.Sleep(2 * time.Millisecond)
		}
		ticks <- 5
	}()
	path := filepath.Join(folder, "file")
	must(os.WriteFile(path, []byte("text"), 0o644))
	must(os.Mkdir(filepath.Join(folder, "dir"), 0o755))
	must(os.Rename(path, filepath.Join(folder, "dir", "moved")))
	must(os.Symlink("moved", filepath.Join(folder, "dir", "link")))
	must(os.Chtimes(filepath.Join(folder, "dir", "moved"), time.Unix(1, 0), time.Unix(2, 3)))
	entries, err := os.ReadDir(filepath.Join(folder, "dir"))
	must(err)
	for _, entry := range entries {
		info, err := os.Stat(filepath.Join(folder, "dir", entry.Name()))
		must(err)
		fmt.Println(entry.Name(), entry.Type(), info.Size(), info.ModTime().UnixNano())
	}
	_, err = os.Stat(filepath.Join(folder, "..", "..", "etc", "passwd"))
	fmt.Println("outside:", err != nil)
	must(os.RemoveAll(filepath.Join(folder, "dir")))
	fmt.Println("ticks:", <-ticks)
	os.Exit(7)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
