//go:build !linux

package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

func (a *app) jepsen() *cobra.Command {
	return &cobra.Command{
		Use:   "jepsen",
		Short: "Break a cluster of this very program and judge what its clients saw (Linux only)",
		RunE: func(*cobra.Command, []string) error {
			return fmt.Errorf("jepsen: namespaces, network and disks are those of Linux: %w", errors.ErrUnsupported)
		},
	}
}
