module go-visits

go 1.21
