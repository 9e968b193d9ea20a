// Prints the lines of a stream as they come, and fails where it does not end well.
package main

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
)

func main() {
	response, err := http.Get(os.Args[1])
	if err != nil {
		panic(err)
	}
	if !response.Uncompressed {
		panic("it was not compressed")
	}
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		fmt.Println(lines.Text())
	}
	if lines.Err() != nil {
		panic(lines.Err())
	}
}
