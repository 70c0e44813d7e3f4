package copyid

import (
	"context"
	"iter"
)

// Result is what became of one host of many: a report, or the error of
// [Client.Dial] or [Host.Ensure].
type Result struct {
	Report *Report
	Err    error
}

// Each ensures a goal on many hosts, on at most parallel of them at once, and
// yields each target once, in the order in which they are done. The loop over the
// result draws the targets, and starts hosts only as it goes on.
//
// After the end of ctx the targets that are left are yielded with its error. If
// the loop is left early, hosts that were begun are ended as by the end of ctx,
// and Each returns when they are: none is touched afterwards.
func (c *Client) Each(ctx context.Context, targets iter.Seq[Target], goal Goal, parallel int) iter.Seq2[Target, Result] {
	parallel = max(parallel, 1)
	return func(yield func(Target, Result) bool) {
		ctx, cancel := context.WithCancel(ctx)
		next, stop := iter.Pull(targets)
		defer stop()
		type done struct {
			target Target
			result Result
		}
		results := make(chan done, parallel)
		running := 0
		defer func() {
			cancel()
			for ; running > 0; running-- {
				<-results
			}
		}()
		for more := true; ; {
			for more && running < parallel {
				var target Target
				if target, more = next(); !more {
					break
				}
				running++
				go func() { results <- done{target, c.ensure(ctx, target, goal)} }()
			}
			if running == 0 {
				return
			}
			d := <-results
			running--
			if !yield(d.target, d.result) {
				return
			}
		}
	}
}

// ensure ensures a goal on one host.
func (c *Client) ensure(ctx context.Context, target Target, goal Goal) Result {
	host, err := c.Dial(ctx, target)
	if err != nil {
		return Result{Err: err}
	}
	defer host.Close()
	report, err := host.Ensure(ctx, goal)
	return Result{Report: report, Err: err}
}
